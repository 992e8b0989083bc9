using System.ComponentModel;
using System.Diagnostics;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Imap;

/// <summary>
/// A connection over a command's standard input and output, such as <c>ssh host doveadm exec imap</c>. Disposing the stream ends the command.
/// </summary>
internal sealed class TunnelStream : Stream
{
    private const int MaxWords = 300;
    private readonly Process process;
    private readonly Stream input;
    private readonly Stream output;
    private readonly Task<string> lastWords;
    private int isDisposed;

    private TunnelStream(Process process)
    {
        this.process = process;
        (input, output) = (process.StandardInput.BaseStream, process.StandardOutput.BaseStream);
        lastWords = LastWordsAsync(process.StandardError);
    }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <exception cref="ImapConnectionException">The command can't be started.</exception>
    public static TunnelStream Start(string command)
    {
        try
        {
            return new TunnelStream(Process.Start(new ProcessStartInfo("/bin/sh", ["-c", command])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                UseShellExecute = false,
            })!);
        }
        catch (Win32Exception e)
        {
            throw new ImapConnectionException(ConnectionFailure.Network, $"the tunnel command can't be started: {e.Message}", e);
        }
    }

    /// <exception cref="ImapConnectionException">
    /// The command ended; the message has its exit status and the last text it wrote to standard error.
    /// </exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var count = await output.ReadAsync(buffer, cancellationToken);
        if (count > 0 || buffer.IsEmpty || Volatile.Read(ref isDisposed) != 0)
            return count;
        int status;
        try
        {
            await process.WaitForExitAsync(cancellationToken);
            status = process.ExitCode;
        }
        catch (InvalidOperationException) when (Volatile.Read(ref isDisposed) != 0)
        {
            return 0;
        }

        var said = await lastWords.WaitAsync(cancellationToken);
        // After an orderly end of the session the command exits with status 0 and no error text, so the stream just ends.
        return status == 0 && said.Length == 0 ? 0
            : throw new ImapConnectionException(ConnectionFailure.Network, $"the tunnel command ended with exit status {status}{(said.Length == 0 ? "" : $": {said}")}");
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        await input.WriteAsync(buffer, cancellationToken);

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task FlushAsync(CancellationToken cancellationToken) => input.FlushAsync(cancellationToken);

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush() => input.Flush();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing && Interlocked.Exchange(ref isDisposed, 1) == 0)
        {
            // The process is killed first, so that reads that are still pending complete.
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
            process.Dispose();
        }

        base.Dispose(disposing);
    }

    /// <summary>Reads standard error to its end, so that the command never blocks on it, and keeps the last part.</summary>
    private static async Task<string> LastWordsAsync(StreamReader errors)
    {
        var words = "";
        try
        {
            while (await errors.ReadLineAsync() is { } line)
            {
                words = words.Length == 0 ? line.Trim() : $"{words} | {line.Trim()}";
                if (words.Length > MaxWords)
                    words = words[^MaxWords..];
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or InvalidOperationException)
        {
            // The stream was closed meanwhile.
        }

        return new string([.. words.Where(c => !char.IsControl(c))]);
    }
}
