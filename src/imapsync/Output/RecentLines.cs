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

    /// <summary>Whether a text was shown by one of the last ten lines.</summary>
    /// <param name="linesSince">
    /// The number of lines that were written elsewhere since the last call of <see cref="Add"/>. They count among the ten.
    /// </param>
    public bool Has(string what, int linesSince) => told.Skip(linesSince - Seen + told.Count).Contains(what);
}
