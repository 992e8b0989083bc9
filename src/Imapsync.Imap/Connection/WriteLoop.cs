using System.Threading.Channels;

namespace Imapsync.Imap.Connection;

/// <summary>Sends commands in the order they are queued, as soon as <see cref="SendGate"/> lets them go.</summary>
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
            // Completing a writer flushes it; on a broken connection that fails, which says nothing new.
            await transport.Writer.CompleteAsync(pending.BreakReason);
            FailQueued();
        }
    }

    /// <summary>Fails what was not begun with the reason the connection ended for. Nothing is taken into the queue any more.</summary>
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
}
