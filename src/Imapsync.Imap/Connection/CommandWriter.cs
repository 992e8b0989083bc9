using System.Buffers;
using System.IO.Pipelines;
using System.Text;

namespace Imapsync.Imap.Connection;

/// <summary>
/// Writes commands to the connection's <see cref="PipeWriter"/>. Only the write loop uses it.
/// The trace shows the commands' text, but neither secrets nor literals.
/// </summary>
internal sealed class CommandWriter(Func<PipeWriter> output, Func<ImapCapabilities> capabilities, ProgressWatchdog watchdog, ImapTrace? trace)
{
    /// <summary>How many written octets may accumulate before they are flushed to the network.</summary>
    public const int FlushAt = 64 << 10;

    private const int SmallLiteral = 4096;
    private const int LiteralPlusMax = 1 << 20;

    private readonly StringBuilder traced = new();
    private ImapCommand current = null!;

    public bool HasUnflushed { get; private set; }

    /// <summary>
    /// Whether the server answered the command where a <c>+</c> was awaited. Then nothing more of the command may be written.
    /// </summary>
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

    /// <summary>Writes text in which each character stands for one octet.</summary>
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

    /// <summary>Writes octets as a quoted string if possible, else as a literal. Returns false if the server refused the literal.</summary>
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

    /// <summary>
    /// Streams a message as a literal. Returns false if the server refused the literal, before any octet of the message was sent.
    /// </summary>
    /// <param name="length">Exactly how many octets <paramref name="body"/> yields; any other number breaks the connection.</param>
    /// <param name="askFirst">Whether to wait for <c>+</c> even if the server accepts non-synchronising literals.</param>
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

    /// <summary>
    /// Ends the line, flushes and waits for <c>+</c>. Returns the text after the <c>+</c>, or null if the server answered the command instead.
    /// </summary>
    /// <param name="ask">Writes the end of the line that asks for the <c>+</c>; null if it is already written.</param>
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
    /// Waits until an IDLE ends. The watchdog is paused meanwhile, because silence is normal during IDLE. Returns false if DONE must not be
    /// sent, because the server has already answered the command or the connection has ended.
    /// </summary>
    /// <param name="until">Completes with true if the client ends the IDLE, with false if the server does.</param>
    public async ValueTask<bool> LingerAsync(Task<bool> until)
    {
        bool isOwed;
        using (watchdog.Pause())
            isOwed = await until;
        IsStopped = !isOwed || current.IsAnswered || current.Completion.IsCompleted;
        return !IsStopped;
    }

    /// <summary>Sends one line of a SASL exchange and waits for <c>+</c>; the trace shows nothing of the line.</summary>
    public ValueTask<byte[]?> SecretLineAsync(string line) => ContinuationAsync(w => w.Secret(line));

    public async ValueTask FlushAsync()
    {
        HasUnflushed = false;
        await Output.FlushAsync(CancellationToken.None);
    }

    /// <summary>
    /// Enumerates the messages that the caller supplies. The watchdog is paused during each wait, because the caller
    /// causes the delay, not the server.
    /// </summary>
    public async IAsyncEnumerable<T> TakeAsync<T>(IAsyncEnumerable<T> source)
    {
        await using var items = source.GetAsyncEnumerator(current.Cancellation);
        while (await SourceAsync(() => items.MoveNextAsync()))
            yield return items.Current;
    }

    /// <summary>
    /// Waits for the caller's next message, or the next octets of one. If the caller fails, its exception is thrown unchanged. The
    /// connection ends then, because the command is already partly sent.
    /// </summary>
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
            // Send what is already written, because the caller's next item may take a while.
            if (HasUnflushed)
                await FlushAsync();
        }
        catch
        {
            // The caller may dispose what is being read once this method has thrown, so first let the read end.
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
