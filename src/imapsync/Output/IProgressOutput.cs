using Imapsync.Engine.Progress;

namespace Imapsync.CommandLine.Output;

/// <summary>A way to show what happens in jobs, fed by an <see cref="EventFeed"/>: one call at a time, each may take as long as the screen or pipe needs. <see cref="Say"/> may come from elsewhere as well.</summary>
internal interface IProgressOutput : IAsyncDisposable
{
    /// <param name="at">When it happened.</param>
    void Show(JobEvent happened, DateTimeOffset at);

    /// <summary>A word to the person at the terminal.</summary>
    void Say(string text);

    /// <summary>What the summary would tell (<see cref="Summary.Told"/>) stands within the last lines already.</summary>
    /// <param name="linesSince">So many came after what was shown here.</param>
    bool HasJustTold(string text, int linesSince) => false;
}
