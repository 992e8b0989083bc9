using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Imapsync.Tests.Support.Discovery;

/// <summary>A private name server (RFC 1035); it answers NXDOMAIN for records that were not added.</summary>
public sealed class NameServer : IAsyncDisposable
{
    private const int SrvType = 33;
    private const int MxType = 15;

    private readonly UdpClient socket = new(new IPEndPoint(IPAddress.Loopback, 0));
    private readonly Dictionary<(string Name, int Type), List<byte[]>> records = [];
    private readonly CancellationTokenSource end = new();
    private readonly Task serving;

    public NameServer() => serving = ServeAsync();

    public IPEndPoint EndPoint => (IPEndPoint)socket.Client.LocalEndPoint!;

    /// <summary>Modifies each answer before it is sent; returning null sends none.</summary>
    public Func<byte[], byte[]?> Distort { get; set; } = answer => answer;

    public NameServer Srv(string name, int priority, int weight, int port, string target) =>
        Add(name, SrvType, [.. Number(priority), .. Number(weight), .. Number(port), .. Name(target)]);

    public NameServer Mx(string name, int preference, string exchange) => Add(name, MxType, [.. Number(preference), .. Name(exchange)]);

    private NameServer Add(string name, int type, byte[] data)
    {
        if (!records.TryGetValue((name, type), out var list))
            records.Add((name, type), list = []);
        list.Add(data);
        return this;
    }

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                var query = await socket.ReceiveAsync(end.Token);
                if (Distort(Answer(query.Buffer)) is { } answer)
                    await socket.SendAsync(answer, query.RemoteEndPoint, end.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // The test has ended.
        }
    }

    private byte[] Answer(byte[] query)
    {
        var (labels, at) = (new List<string>(), 12);
        for (; query[at] > 0; at += query[at] + 1)
            labels.Add(Encoding.ASCII.GetString(query, at + 1, query[at]));
        var type = BinaryPrimitives.ReadUInt16BigEndian(query.AsSpan(at + 1));
        var found = records.GetValueOrDefault((string.Join('.', labels).ToLowerInvariant(), type), []);
        // The header says: answer, recursion desired and available, and NXDOMAIN if there is no such record.
        var answer = new List<byte>([query[0], query[1], 0x81, (byte)(found.Count > 0 ? 0x80 : 0x83), 0, 1, .. Number(found.Count), 0, 0, 0, 0, .. query[12..(at + 5)]]);
        foreach (var data in found)
            answer.AddRange([0xC0, 12, .. Number(type), 0, 1, 0, 0, 0, 60, .. Number(data.Length), .. data]);
        return [.. answer];
    }

    private static byte[] Number(int value) => [(byte)(value >> 8), (byte)value];

    private static byte[] Name(string name) =>
        [.. name.TrimEnd('.').Split('.', StringSplitOptions.RemoveEmptyEntries).SelectMany(l => (byte[])[(byte)l.Length, .. Encoding.ASCII.GetBytes(l)]), 0];

    public async ValueTask DisposeAsync()
    {
        await end.CancelAsync();
        await serving;
        socket.Dispose();
        end.Dispose();
    }
}
