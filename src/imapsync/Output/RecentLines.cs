namespace Imapsync.CommandLine.Output;

/// <summary>Remembers the texts of the most recent lines, so that the summary does not repeat what was just shown.</summary>
internal sealed class RecentLines
{
    private const int Seen = 10;

    private readonly Queue<string?> told = new();

    /// <param name="what">The text; null for a line that the summary never repeats.</param>
    public void Add(string? what)
    {
        told.Enqueue(what);
        if (told.Count > Seen)
            told.Dequeue();
    }

    /// <param name="linesSince">
    /// The number of lines written since the last call of <see cref="Add"/>. That many of the oldest remembered lines no longer count as
    /// recent.
    /// </param>
    public bool Has(string what, int linesSince) => told.Skip(linesSince - Seen + told.Count).Contains(what);
}
