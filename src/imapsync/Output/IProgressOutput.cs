using Imapsync.Engine.Progress;

namespace Imapsync.CommandLine.Output;

/// <summary>
/// An output for the jobs' events, called by an <see cref="EventFeed"/>. Calls are sequential, and each may block. <see cref="Say"/> may also be
/// called concurrently by others.
/// </summary>
internal interface IProgressOutput : IAsyncDisposable
{
    /// <param name="at">The time of the event.</param>
    void Show(JobEvent happened, DateTimeOffset at);

    /// <summary>Shows a message to the person at the terminal.</summary>
    void Say(string text);

    /// <summary>
    /// Whether one of this output's latest lines already showed a text of the summary, so that it need not be repeated (<see cref="Summary.Told"/>).
    /// </summary>
    /// <param name="linesSince">The number of lines that were written after this output's own.</param>
    bool HasJustTold(string text, int linesSince) => false;
}
