using Imapsync.Imap.Connection;

namespace Imapsync.Imap.Client;

public sealed partial class ImapClient
{
    /// <summary>Turns on compression for all further traffic in both directions.</summary>
    public async Task CompressAsync(CancellationToken cancellationToken) =>
        await connection.ExecuteAsync(new CompressCommand(), cancellationToken);
}

/// <summary>COMPRESS DEFLATE (RFC 4978).</summary>
internal sealed class CompressCommand : ImapCommand
{
    public override string Name => "COMPRESS";

    public override CommandClass Class => CommandClass.Alone;

    public override Func<Stream, ReadOnlyMemory<byte>, ValueTask<Stream>> Upgrade =>
        static (plain, buffered) => ValueTask.FromResult<Stream>(new DeflatedStream(plain, buffered));

    public override ValueTask EncodeAsync(CommandWriter writer)
    {
        writer.Text("COMPRESS DEFLATE");
        return ValueTask.CompletedTask;
    }
}
