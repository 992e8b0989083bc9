using Imapsync.Engine.Progress;

namespace Imapsync.CommandLine.Output;

/// <summary>
/// An output for the jobs' events. An <see cref="EventFeed"/> makes one call at a time, which may block. Other code may call
/// <see cref="Say"/> at the same time.
/// </summary>
internal interface IProgressOutput : IAsyncDisposable
{
    /// <param name="at">The time of the event.</param>
    void Show(JobEvent happened, DateTimeOffset at);

    /// <summary>Shows a message to the person at the terminal.</summary>
    void Say(string text);

    /// <summary>
    /// Whether this output has just shown a text of the summary, so that the summary need not repeat it (<see cref="Summary.Told"/>).
    /// </summary>
    /// <param name="linesSince">The number of lines that were written after the last line of this output.</param>
    bool HasJustTold(string text, int linesSince) => false;
}
