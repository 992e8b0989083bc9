using System.Globalization;
using System.Text;
using Imapsync.Engine.Files;
using Imapsync.Imap;

namespace Imapsync.Engine.State;

/// <summary>
/// Which part of the messages this run reads: those whose UID leaves the same remainder. Each run takes the next part, and
/// the one that comes next is remembered beside the checkpoints. Losing that file, or changing the share, begins anew.
/// </summary>
internal sealed class SampleCursor
{
    private const string Magic = "imapsync-verify 1";
    private const int MaxFileBytes = 200;

    private readonly string path;

    private SampleCursor(string path, uint parts, uint part) => (this.path, Parts, Part) = (path, parts, part);

    public static SampleCursor Everything { get; } = new("", 1, 0);

    public uint Parts { get; }

    public uint Part { get; }

    public bool Includes(Uid uid) => uid.Value % Parts == Part;

    /// <param name="share">Above 0, at most 1. A run never reads less than that, save for rounding.</param>
    public static async Task<SampleCursor> ReadAsync(string stateDirectory, double share, CancellationToken cancellationToken)
    {
        var parts = (uint)Math.Clamp(Math.Floor((1 / share) + 1e-6), 1, uint.MaxValue);
        if (parts == 1)
            return Everything;
        var file = Path.Combine(stateDirectory, "verify");
        var part = 0u;
        if (File.Exists(file) && new FileInfo(file).Length <= MaxFileBytes)
        {
            var words = (await File.ReadAllTextAsync(file, cancellationToken)).TrimEnd('\n').Split('\n');
            if (words is [Magic, var numbers] && numbers.Split(' ') is ["sample", var ofText, var nextText]
                && uint.TryParse(ofText, NumberStyles.None, CultureInfo.InvariantCulture, out var of) && of == parts
                && uint.TryParse(nextText, NumberStyles.None, CultureInfo.InvariantCulture, out var next) && next < parts)
                part = next;
        }

        return new SampleCursor(file, parts, part);
    }

    /// <summary>This run's part was read to the end: the next run takes the next one.</summary>
    public async Task SaveNextAsync(CancellationToken cancellationToken)
    {
        if (Parts == 1)
            return;
        await DurableFiles.CreateDirectoryAsync(Path.GetDirectoryName(path)!, cancellationToken);
        var text = $"{Magic}\nsample {Parts} {(Part + 1) % Parts}\n";
        await DurableFiles.ReplaceAsync(path, async (file, c) => await file.WriteAsync(Encoding.ASCII.GetBytes(text), c), cancellationToken);
    }
}
