using System.Buffers;
using System.IO.Pipelines;
using System.Text;

namespace Imapsync.Imap.Connection;

/// <summary>
/// Writes one command after another to the connection's <see cref="PipeWriter"/>; used by the write loop alone.
/// What is written as text appears in the trace, secrets and literals never do.
/// </summary>
internal sealed class CommandWriter(Func<PipeWriter> output, Func<ImapCapabilities> capabilities, ProgressWatchdog watchdog, ImapTrace? trace)
{
    /// <summary>Octets that are written and not yet on their way, at most.</summary>
    public const int FlushAt = 64 << 10;

    private const int SmallLiteral = 4096;
    private const int LiteralPlusMax = 1 << 20;

    private readonly StringBuilder traced = new();
    private ImapCommand current = null!;

    public bool HasUnflushed { get; private set; }

    /// <summary>The server answered where a <c>+</c> was hoped for: the command ends here.</summary>
    public bool IsStopped { get; private set; }

    private PipeWriter Output => output();

    public void Begin(ImapCommand command)
    {
        current = command;
        IsStopped = false;
        traced.Clear();
        Text(command.Tag).Text(" ");
    }

    public void End()
    {
        Put("\r\n"u8);
        trace?.Sent(traced.ToString());
    }

    /// <summary>Each character is one octet.</summary>
    public CommandWriter Text(string text)
    {
        Encoding.Latin1.GetBytes(text, Output);
        HasUnflushed = true;
        if (trace is not null)
            traced.Append(text);
        return this;
    }

    public CommandWriter Secret(string text)
    {
        Encoding.Latin1.GetBytes(text, Output);
        HasUnflushed = true;
        traced.Append("(secret)");
        return this;
    }

    /// <summary>A string of octets as a quoted string where that can hold it, else as a literal. False when the server refused the literal.</summary>
    public ValueTask<bool> StringAsync(string octets, bool secret = false)
    {
        if (octets.Length > 1000 || octets.AsSpan().ContainsAnyExceptInRange(' ', '~'))
            return LiteralAsync(Encoding.Latin1.GetBytes(octets));
        var quoted = "\"" + octets.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal) + "\"";
        _ = secret ? Secret(quoted) : Text(quoted);
        return ValueTask.FromResult(true);
    }

    public async ValueTask<bool> LiteralAsync(ReadOnlyMemory<byte> octets)
    {
        if (!await AnnounceAsync(octets.Length))
            return false;
        Put(octets.Span);
        return await FlushIfFullAsync(octets.Length);
    }

    /// <summary>A message, streamed. False when the server refused it: not one octet was sent and none is owed.</summary>
    /// <param name="length">Exactly what <paramref name="body"/> will give; anything else breaks the connection.</param>
    /// <param name="askFirst">Wait for <c>+</c> in any case.</param>
    public async ValueTask<bool> LiteralAsync(long length, PipeReader body, bool askFirst = false)
    {
        if (!await AnnounceAsync(length, askFirst))
            return false;
        var left = length;
        while (left > 0)
        {
            var read = await SourceAsync(() => body.ReadAsync(current.Cancellation));
            var part = read.Buffer.Length > left ? read.Buffer.Slice(0, left) : read.Buffer;
            foreach (var segment in part)
                Put(segment.Span);
            left -= part.Length;
            body.AdvanceTo(part.End);
            await FlushIfFullAsync(part.Length);
            if (read.IsCompleted && left > 0)
                throw new ImapProtocolException($"a body ended {left} octets early in the middle of {current.Name}");
        }

        return true;
    }

    /// <summary>Flushes and waits for <c>+</c>: its text, or null when the command was answered instead.</summary>
    public async ValueTask<byte[]?> ContinuationAsync(Func<CommandWriter, CommandWriter>? ask = null)
    {
        var slot = current.ExpectContinuation();
        ask?.Invoke(this);
        Put("\r\n"u8);
        trace?.Sent(traced.ToString());
        traced.Clear();
        await FlushAsync();
        var text = await slot;
        IsStopped = text is null;
        return text;
    }

    /// <summary>
    /// Waits for the end of what lasts as long as the client likes (IDLE), without the watchdog minding the silence. False when the
    /// server has answered by then, or is gone: nothing more is owed.
    /// </summary>
    public async ValueTask<bool> LingerAsync(Task until)
    {
        using (watchdog.Pause())
            await until;
        IsStopped = current.IsAnswered || current.Completion.IsCompleted;
        return !IsStopped;
    }

    /// <summary>One line of a SASL exchange, with nothing of it in the trace.</summary>
    public ValueTask<byte[]?> SecretLineAsync(string line) => ContinuationAsync(w => w.Secret(line));

    public async ValueTask FlushAsync()
    {
        HasUnflushed = false;
        await Output.FlushAsync(CancellationToken.None);
    }

    /// <summary>The items of a source, each waited for without the watchdog minding.</summary>
    public async IAsyncEnumerable<T> TakeAsync<T>(IAsyncEnumerable<T> source)
    {
        await using var items = source.GetAsyncEnumerator(current.Cancellation);
        while (await SourceAsync(() => items.MoveNextAsync()))
            yield return items.Current;
    }

    /// <summary>A source that fails is told to the command's caller as it is; the connection, torn in a message, ends.</summary>
    private async ValueTask<T> SourceAsync<T>(Func<ValueTask<T>> take)
    {
        Task<T> step;
        try
        {
            var taken = take();
            if (taken.IsCompletedSuccessfully)
                return taken.Result;
            step = taken.AsTask();
        }
        catch (Exception e)
        {
            current.Fail(e);
            throw;
        }

        try
        {
            // What was written so far must not wait for what is not there yet.
            if (HasUnflushed)
                await FlushAsync();
        }
        catch
        {
            // A source can't be let go of while it is being asked.
            await ((Task)step).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw;
        }

        try
        {
            using (watchdog.Pause())
                return await step;
        }
        catch (Exception e)
        {
            current.Fail(e);
            throw;
        }
    }

    private async ValueTask<bool> AnnounceAsync(long length, bool askFirst = false)
    {
        var offered = capabilities();
        var unasked = !askFirst
            && ((offered.HasLiteralPlus && length <= LiteralPlusMax)
                || ((offered.HasLiteralMinus || offered.HasLiteralPlus) && length <= SmallLiteral));
        if (trace is not null)
            traced.Append('{').Append(current.CarriesSecret ? "secret" : $"{length}").Append(unasked ? "+}" : "}");
        if (!unasked && current.IsAnswered)
        {
            IsStopped = true;
            return false;
        }

        if (!unasked)
            return await ContinuationAsync(w => w.Raw($"{{{length}}}")) is not null;
        current.SentUnasked = true;
        Raw($"{{{length}+}}\r\n");
        return true;
    }

    private CommandWriter Raw(string text)
    {
        Encoding.Latin1.GetBytes(text, Output);
        HasUnflushed = true;
        return this;
    }

    private void Put(ReadOnlySpan<byte> octets)
    {
        Output.Write(octets);
        HasUnflushed = true;
    }

    private async ValueTask<bool> FlushIfFullAsync(long added)
    {
        if (added >= FlushAt || Output.UnflushedBytes >= FlushAt)
            await FlushAsync();
        return true;
    }
}
