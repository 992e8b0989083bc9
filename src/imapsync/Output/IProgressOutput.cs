using Imapsync.Engine.Progress;

namespace Imapsync.CommandLine.Output;

/// <summary>A way to show what happens in jobs. Methods may be called from any task, also at once.</summary>
internal interface IProgressOutput : IAsyncDisposable
{
    void Show(JobEvent happened);

    /// <summary>A word to the person at the terminal.</summary>
    void Say(string text);

    /// <summary>What the summary would tell (<see cref="Summary.Told"/>) stands within the last lines already.</summary>
    /// <param name="linesSince">So many came after what was shown here.</param>
    bool HasJustTold(string text, int linesSince) => false;
}
