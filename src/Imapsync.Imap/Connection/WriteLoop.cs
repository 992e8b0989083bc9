using System.Threading.Channels;

namespace Imapsync.Imap.Connection;

/// <summary>Sends commands in queue order, each as soon as <see cref="SendGate"/> permits.</summary>
/// <param name="end">Ends the connection; see <see cref="ImapConnection.Break"/>.</param>
internal sealed class WriteLoop(
    Transport transport, PendingCommands pending, CommandWriter commands, ImapTrace? trace, TimeProvider time, Func<Exception, Exception> end)
{
    private const int QueueLength = 64;

    private readonly Channel<ImapCommand> queue = Channel.CreateBounded<ImapCommand>(QueueLength);
    private int tags;

    public ChannelWriter<ImapCommand> Queue => queue.Writer;

    public async Task RunAsync()
    {
        try
        {
            while (await queue.Reader.WaitToReadAsync(CancellationToken.None))
            {
                while (queue.Reader.TryRead(out var command))
                    await WriteAsync(command);
                if (commands.HasUnflushed)
                    await commands.FlushAsync();
            }
        }
        catch (Exception e)
        {
            end(e);
        }
        finally
        {
            // Completing the writer normally flushes it, which would fail again on a broken connection. The reason
            // passed here prevents the flush.
            await transport.Writer.CompleteAsync(pending.BreakReason);
            FailQueued();
        }
    }

    /// <summary>Fails all queued commands with the reason for which the connection ended, and closes the queue.</summary>
    public void FailQueued()
    {
        queue.Writer.TryComplete();
        while (queue.Reader.TryRead(out var command))
            pending.Fail(command);
    }

    private async Task WriteAsync(ImapCommand command)
    {
        if (command.Before is { } before)
        {
            command.Before = null;
            try
            {
                await WriteAsync(before);
            }
            catch
            {
                pending.Fail(command);
                throw;
            }
        }

        try
        {
            while (!pending.MaySend(command))
            {
                if (commands.HasUnflushed)
                    await commands.FlushAsync();
                await pending.WaitForAnswerAsync();
            }
        }
        catch (Exception e)
        {
            end(e);
            pending.Fail(command);
            throw;
        }

        if (!command.TryStart())
            return;
        command.Tag = "A" + ++tags;
        if (trace is not null)
            command.StartedAt = time.GetTimestamp();
        if (!pending.TryAdd(command))
        {
            command.FinishWriting();
            return;
        }

        commands.Begin(command);
        try
        {
            await command.EncodeAsync(commands);
            // If the server refused the command instead of sending "+", nothing more may be written, not even the line end.
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
}
