using System.Buffers;
using System.IO.Pipelines;
using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Engine.Tests.Contracts;

/// <summary>A message in a test's memory.</summary>
public sealed record Letter(byte[] Octets, FlagSet Flags, DateTimeOffset Date)
{
    public static DateTimeOffset SomeDate { get; } = new(2019, 3, 10, 12, 34, 56, TimeSpan.Zero);

    public static Letter Of(byte[] octets) => new(octets, FlagSet.Empty, SomeDate);

    public static Letter Number(int number) => Of(AwkwardMessages.Ordinary(number));

    public IncomingMessage Incoming(uint source) =>
        new(new MessageInfo(new Uid(source), Flags, Date, Octets.Length), Octets.Length, PipeReader.Create(new ReadOnlySequence<byte>(Octets)));
}

/// <summary>The few operations from which all store tests are built.</summary>
public static class StoreReading
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Returns the letters as messages to append; their source UIDs count from 1.</summary>
    public static async IAsyncEnumerable<IncomingMessage> Window(IEnumerable<Letter> letters)
    {
        var source = 0u;
        foreach (var letter in letters)
        {
            await Task.Yield();
            yield return letter.Incoming(++source);
        }
    }

    /// <summary>Appends the letters and asserts that each is accepted with a UID. Returns the UIDs in the order of the letters.</summary>
    public static async Task<IReadOnlyList<Uid>> AppendAllAsync(this IWritableFolder folder, params IReadOnlyList<Letter> letters)
    {
        var receipts = await folder.AppendAsync(Window(letters), Token);
        Assert.Equal(letters.Count, receipts.Count);
        Assert.All(receipts, r => Assert.Null(r.Failure));
        Assert.All(receipts, r => Assert.False(r.Target.IsNone));
        return [.. receipts.OrderBy(r => r.Source).Select(r => r.Target)];
    }

    public static async Task<List<MessageInfo>> ListAllAsync(this IMessageFolder folder, ListRequest? request = null)
    {
        var list = new List<MessageInfo>();
        await foreach (var info in folder.ListAsync(request ?? new ListRequest(WithDateAndSize: true), Token))
            list.Add(info);
        Assert.Equal(list.Select(i => i.Uid).Distinct().Order(), list.Select(i => i.Uid));
        return list;
    }

    /// <summary>Reads every message of the folder whole. Returns them by UID.</summary>
    public static async Task<SortedDictionary<Uid, Letter>> ReadAllAsync(this IMessageFolder folder)
    {
        var letters = new SortedDictionary<Uid, Letter>();
        await foreach (var message in folder.ReadAsync(await folder.ListAllAsync(), Token))
        {
            Assert.Null(message.Failure);
            var octets = await ReadToEndAsync(message.Body);
            Assert.Equal(message.Length, octets.Length);
            letters.Add(message.Uid, new Letter(octets, message.Info.Flags, message.Info.InternalDate));
        }

        return letters;
    }

    public static async Task<byte[]> ReadToEndAsync(PipeReader body)
    {
        using var octets = new MemoryStream();
        await body.CopyToAsync(octets, Token);
        return octets.ToArray();
    }
}
