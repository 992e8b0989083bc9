using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text;

namespace Imapsync.Serving.Wire;

/// <summary>
/// Reads one command after another from a client: a line, or lines joined by literals (RFC 9051 §2.2.1). A command that is longer than the
/// limit is never held in memory.
/// </summary>
/// <param name="goAhead">Sends the continuation request (<c>+</c>) that lets the client send its literal.</param>
internal sealed class CommandReader(PipeReader input, ServingLimits limits, TimeProvider time, Func<CancellationToken, ValueTask> goAhead)
{
    private readonly ArrayBufferWriter<byte> command = new(1024);

    /// <summary>The most octets in a command from now on.</summary>
    public int MaxBytes { get; set; } = limits.StrangerCommandBytes;

    /// <summary>Reads the next command; null at the end of the input. The result is valid until the next call.</summary>
    /// <param name="patience">How long to wait for the first octet.</param>
    /// <exception cref="RefusalException">A literal was too long, but the session can go on. Data contains the command's tag.</exception>
    /// <exception cref="ConversationEndException">The session can't go on.</exception>
    public async ValueTask<ReadOnlyMemory<byte>?> ReadAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        if (command.Capacity > 16 * 1024)
            command.Clear();
        command.ResetWrittenCount();
        while (true)
        {
            if (!await ReadLineAsync(command.WrittenCount == 0 ? patience : limits.StallTime, cancellationToken))
                return null;
            if (!TryLiteral(command.WrittenSpan, out var length, out var waits))
                return command.WrittenMemory[..^LineEndLength(command.WrittenSpan)];
            if (length > MaxBytes - command.WrittenCount)
                await RefuseLiteralAsync(length, waits, cancellationToken);
            if (waits)
                await goAhead(cancellationToken);
            await TakeAsync(length, keep: true, cancellationToken);
        }
    }

    /// <summary>Reads one line without its line end, as a client sends it during AUTHENTICATE and IDLE.</summary>
    public async ValueTask<string?> ReadPlainLineAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        command.ResetWrittenCount();
        if (!await ReadLineAsync(patience, cancellationToken))
            return null;
        return Encoding.Latin1.GetString(command.WrittenSpan[..^LineEndLength(command.WrittenSpan)]);
    }

    /// <summary>The command's tag, or <c>*</c> if it has no valid one that an answer could repeat.</summary>
    public static string TagOf(ReadOnlySpan<byte> command)
    {
        var end = command.IndexOfAny(" \r\n"u8);
        var tag = end < 0 ? command : command[..end];
        foreach (var octet in tag)
        {
            if (octet is <= 0x20 or >= 0x7f or (byte)'"' or (byte)'\\' or (byte)'(' or (byte)')' or (byte)'{' or (byte)'%' or (byte)'*' or (byte)'+')
                return "*";
        }

        return tag.Length is 0 or > 200 ? "*" : Encoding.ASCII.GetString(tag);
    }

    private async ValueTask RefuseLiteralAsync(long length, bool waits, CancellationToken cancellationToken)
    {
        var tag = TagOf(command.WrittenSpan);
        if (!waits)
        {
            if (length > limits.SkippedLiteralBytes || MaxBytes <= limits.StrangerCommandBytes)
                throw new ConversationEndException("that literal is too long");
            await TakeAsync(length, keep: false, cancellationToken);
            // The lines after the literal belong to the same command and may contain further literals, so skip those as well.
            while (true)
            {
                command.ResetWrittenCount();
                if (!await ReadLineAsync(limits.StallTime, cancellationToken))
                    throw new ConversationEndException("the command has no end");
                if (!TryLiteral(command.WrittenSpan, out var next, out var nextWaits) || nextWaits)
                    break;
                if ((length += next) > limits.SkippedLiteralBytes)
                    throw new ConversationEndException("that literal is too long");
                await TakeAsync(next, keep: false, cancellationToken);
            }
        }

        throw new RefusalException("a literal that long is not taken: nothing can be stored here") { Data = { ["tag"] = tag } };
    }

    private async ValueTask<bool> ReadLineAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        while (true)
        {
            var result = await WithinAsync(patience, cancellationToken);
            var buffer = result.Buffer;
            var end = buffer.PositionOf((byte)'\n');
            var line = end is { } at ? buffer.Slice(0, buffer.GetPosition(1, at)) : buffer;
            if (line.Length > MaxBytes - command.WrittenCount)
                throw new ConversationEndException("that line is too long");
            foreach (var piece in line)
                command.Write(piece.Span);
            input.AdvanceTo(line.End);
            if (end is not null)
                return true;
            if (result.IsCompleted)
                return false;
            patience = limits.StallTime;
        }
    }

    private async ValueTask TakeAsync(long length, bool keep, CancellationToken cancellationToken)
    {
        while (length > 0)
        {
            var result = await WithinAsync(limits.StallTime, cancellationToken);
            var taken = result.Buffer.Slice(0, Math.Min(length, result.Buffer.Length));
            if (keep)
            {
                foreach (var piece in taken)
                    command.Write(piece.Span);
            }

            length -= taken.Length;
            input.AdvanceTo(taken.End);
            if (length > 0 && result.IsCompleted)
                throw new ConversationEndException("the literal has no end");
        }
    }

    private async ValueTask<ReadResult> WithinAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        if (input.TryRead(out var there))
            return there;
        using var limit = new CancellationTokenSource(patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            return await input.ReadAsync(either.Token);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            throw new ConversationEndException("nothing was said for too long");
        }
        catch (IOException e)
        {
            throw new LineLostException("the client is gone", e);
        }
    }

    private static int LineEndLength(ReadOnlySpan<byte> line) => line.EndsWith("\r\n"u8) ? 2 : 1;

    /// <summary>
    /// Whether the line ends with the announcement of a literal. After <c>{n}</c> the client waits for <c>+</c>; after
    /// <c>{n+}</c> or <c>{n-}</c> it does not.
    /// </summary>
    private static bool TryLiteral(ReadOnlySpan<byte> line, out long length, out bool waits)
    {
        (length, waits) = (0, true);
        line = line[..^LineEndLength(line)];
        if (line is not [.., (byte)'}'])
            return false;
        var open = line[Math.Max(0, line.Length - 24)..].LastIndexOf((byte)'{');
        if (open < 0)
            return false;
        var number = line[(Math.Max(0, line.Length - 24) + open + 1)..^1];
        if (number is [.., (byte)'+' or (byte)'-'])
        {
            waits = false;
            number = number[..^1];
        }

        return number.Length > 0 && number[0] is >= (byte)'0' and <= (byte)'9'
            && long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out length);
    }
}
