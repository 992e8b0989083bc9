using Imapsync.Imap.Commands;
namespace Imapsync.Imap.Connection;

internal sealed partial class ImapConnection
{
    private StatusReply? upgradeReply;
    private volatile bool isFull;

    private async Task WriteLoopAsync()
    {
        var commands = new CommandWriter(() => writer, () => Capabilities ?? ImapCapabilities.None, watchdog, trace);
        try
        {
            while (await queue.Reader.WaitToReadAsync(CancellationToken.None))
            {
                while (queue.Reader.TryRead(out var command))
                    await WriteAsync(command, commands);
                if (commands.HasUnflushed)
                    await commands.FlushAsync();
            }
        }
        catch (Exception e)
        {
            Break(e);
        }
        finally
        {
            // Completing a writer flushes it; on a broken connection that fails, which says nothing new.
            await writer.CompleteAsync(broken);
            while (queue.Reader.TryRead(out var command))
                FailCommand(command);
        }
    }

    private async Task WriteAsync(ImapCommand command, CommandWriter commands)
    {
        if (command.Before is { } before)
        {
            command.Before = null;
            try
            {
                await WriteAsync(before, commands);
            }
            catch
            {
                FailCommand(command);
                throw;
            }
        }

        try
        {
            while (!MaySend(command))
            {
                if (commands.HasUnflushed)
                    await commands.FlushAsync();
                if (!await answered.Reader.WaitToReadAsync(CancellationToken.None))
                    ThrowIfBroken();
                answered.Reader.TryRead(out _);
            }
        }
        catch (Exception e)
        {
            Break(e);
            FailCommand(command);
            throw;
        }

        if (!command.TryStart())
            return;
        command.Tag = "A" + ++tags;
        if (trace is not null)
            command.StartedAt = time.GetTimestamp();
        if (!Register(command))
        {
            command.FinishWriting();
            return;
        }

        commands.Begin(command);
        try
        {
            await command.EncodeAsync(commands);
            // Refused before "+": the server has answered, and not even a line end is owed.
            if (!commands.IsStopped)
                commands.End();
            if (command.Class == CommandClass.Alone)
                await commands.FlushAsync();
        }
        finally
        {
            command.FinishWriting();
        }
    }

    private bool MaySend(ImapCommand command)
    {
        var sent = inFlight;
        isFull = SendGate.IsFull(sent.Length, limits.MaxInFlight, isFull);
        if (isFull)
            return false;
        Span<SentCommand> view = stackalloc SentCommand[Math.Min(sent.Length, 64)];
        for (var i = 0; i < view.Length; i++)
            view[i] = new SentCommand(sent[i].Class, sent[i].AwaitsContinuation);
        return SendGate.MaySend(command.Class, view);
    }

    /// <summary>Before the first octet is written, so that no reply can come too early. False when the connection broke meanwhile.</summary>
    private bool Register(ImapCommand command)
    {
        lock (gate)
        {
            if (broken is null)
            {
                inFlight = inFlight.Add(command);
                watchdog.CommandSent();
                return true;
            }
        }

        FailCommand(command);
        return false;
    }

    /// <summary>Runs on the read loop while the gate keeps the write loop still: the command is alone.</summary>
    private async Task UpgradeAsync()
    {
        var command = upgrading!;
        upgrading = null;
        ReadOnlyMemory<byte> buffered = default;
        if (reader.TryRead(out var read))
        {
            buffered = System.Buffers.BuffersExtensions.ToArray(read.Buffer);
            reader.AdvanceTo(read.Buffer.End);
        }

        await reader.CompleteAsync();
        await command.WhenWritten;
        await writer.CompleteAsync();
        stream = await command.Upgrade!(stream, buffered);
        reader = NewReader();
        writer = NewWriter();
        if (IsBroken)
            await stream.DisposeAsync();
        Finish(command, upgradeReply!);
    }
}
