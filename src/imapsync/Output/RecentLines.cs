namespace Imapsync.CommandLine.Output;

/// <summary>What the last lines told, so that it is not told again under the eyes of who has just read it.</summary>
internal sealed class RecentLines
{
    private const int Seen = 10;

    private readonly Queue<string?> told = new();

    /// <param name="what">Null for a line that is of no account.</param>
    public void Add(string? what)
    {
        told.Enqueue(what);
        if (told.Count > Seen)
            told.Dequeue();
    }

    /// <param name="linesSince">So many have been written besides.</param>
    public bool Has(string what, int linesSince) => told.Skip(linesSince - Seen + told.Count).Contains(what);
}
