using System.Buffers;
using System.Globalization;
using System.Text;

namespace Imapsync.Serving.Wire;

/// <summary>
/// Writes responses to a client, buffered up to a limit. A client that does not accept them within
/// <see cref="ServingLimits.StallTime"/> loses its connection.
/// </summary>
internal sealed class ResponseWriter(Stream output, ServingLimits limits, TimeProvider time)
{
    private const int FullBytes = 64 * 1024;
    private readonly ArrayBufferWriter<byte> gathered = new(4 * 1024);
    private bool isWithin;
    private bool isBroken;

    /// <summary>
    /// Whether the next output begins a new response. False inside a response. False for good after a failed write, because nobody knows
    /// how much the client has received.
    /// </summary>
    public bool IsBetweenResponses => !isWithin && !isBroken;

    public ResponseWriter Text(string ascii)
    {
        isWithin = true;
        Encoding.Latin1.GetBytes(ascii, gathered.GetSpan(ascii.Length));
        gathered.Advance(ascii.Length);
        return this;
    }

    public ResponseWriter Octets(ReadOnlySpan<byte> octets)
    {
        isWithin = true;
        gathered.Write(octets);
        return this;
    }

    public ResponseWriter Number(long number)
    {
        number.TryFormat(gathered.GetSpan(20), out var length, provider: CultureInfo.InvariantCulture);
        gathered.Advance(length);
        return this;
    }

    /// <summary>Writes the last line of a response.</summary>
    public ResponseWriter Line(string ascii)
    {
        Text(ascii).Octets("\r\n"u8);
        isWithin = false;
        return this;
    }

    /// <summary>Writes NIL for null, else a quoted string or, if the octets need it, a literal.</summary>
    public ResponseWriter NString(byte[]? octets) => octets is null ? Text("NIL") : String(octets);

    public ResponseWriter String(ReadOnlySpan<byte> octets)
    {
        if (octets.Length > 1000 || octets.IndexOfAnyExceptInRange((byte)' ', (byte)'~') >= 0)
            return Text("{").Number(octets.Length).Text("}\r\n").Octets(octets);
        gathered.Write("\""u8);
        foreach (var octet in octets)
        {
            if (octet is (byte)'"' or (byte)'\\')
                gathered.Write("\\"u8);
            gathered.Write([octet]);
        }

        gathered.Write("\""u8);
        return this;
    }

    public ResponseWriter String(string text) => String(Encoding.UTF8.GetBytes(text));

    /// <summary>Sends the buffered output if it has reached 64 KiB.</summary>
    public ValueTask FlushIfFullAsync(CancellationToken cancellationToken) =>
        gathered.WrittenCount >= FullBytes ? FlushAsync(cancellationToken) : ValueTask.CompletedTask;

    public async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        if (gathered.WrittenCount == 0)
            return;
        await WriteAsync(gathered.WrittenMemory, cancellationToken);
        if (gathered.Capacity > 4 * FullBytes)
            gathered.Clear();
        gathered.ResetWrittenCount();
    }

    /// <summary>Sends octets after the buffered output; a large block is sent without being copied to the buffer.</summary>
    public async ValueTask WriteThroughAsync(ReadOnlyMemory<byte> octets, CancellationToken cancellationToken)
    {
        if (octets.Length < FullBytes / 4)
        {
            Octets(octets.Span);
            await FlushIfFullAsync(cancellationToken);
            return;
        }

        await FlushAsync(cancellationToken);
        // Write in pieces, because the stall timeout applies to each piece.
        for (; !octets.IsEmpty; octets = octets[Math.Min(octets.Length, FullBytes)..])
            await WriteAsync(octets[..Math.Min(octets.Length, FullBytes)], cancellationToken);
    }

    private async ValueTask WriteAsync(ReadOnlyMemory<byte> octets, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(limits.StallTime, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        var wasWritten = false;
        try
        {
            await output.WriteAsync(octets, either.Token);
            wasWritten = true;
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            throw new LineLostException("the client takes no answer");
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            throw new LineLostException("the client is gone", e);
        }
        finally
        {
            isBroken |= !wasWritten;
        }
    }
}
