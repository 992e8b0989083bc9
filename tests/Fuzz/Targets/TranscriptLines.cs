using System.Text;

namespace Imapsync.Fuzz.Tests.Targets;

/// <summary>Real servers' replies: the server lines of tests/Transcripts.</summary>
internal static class TranscriptLines
{
    private static readonly Lazy<byte[][]> Read = new(() =>
    [
        .. Directory.EnumerateFiles(Path.Combine(AppContext.BaseDirectory, "Transcripts"), "*.txt", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
            .SelectMany(File.ReadLines).Where(l => l.StartsWith("S: ", StringComparison.Ordinal)).Distinct().Select(l => Encoding.UTF8.GetBytes(l[3..] + "\r\n")),
    ]);

    public static byte[][] All => Read.Value;
}
