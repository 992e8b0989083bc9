namespace Imapsync.Engine.Tables;

/// <summary>Reads a list of accounts into memory, up to a limit.</summary>
internal static class HeldOctets
{
    /// <summary>Larger lists are refused, because they are held in memory.</summary>
    public const long Most = 64 << 20;

    /// <summary>Reads a stream to its end and returns its content, from the beginning. The stream is not disposed of.</summary>
    /// <param name="tooMuch">The error for more than <see cref="Most"/> octets.</param>
    public static async Task<MemoryStream> ReadAsync(Stream source, Func<TableException> tooMuch, CancellationToken cancellationToken)
    {
        var held = new MemoryStream();
        var block = new byte[64 << 10];
        int read;
        while ((read = await source.ReadAsync(block, cancellationToken).ConfigureAwait(false)) > 0)
        {
            if (held.Length + read > Most)
                throw tooMuch();
            held.Write(block, 0, read);
        }

        held.Position = 0;
        return held;
    }
}
