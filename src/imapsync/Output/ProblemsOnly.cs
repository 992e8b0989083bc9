using Imapsync.Engine.Progress;

namespace Imapsync.CommandLine.Output;

/// <summary>Passes only those events on that report a problem, for <c>--quiet</c>.</summary>
internal sealed class ProblemsOnly(IProgressOutput output) : IProgressOutput
{
    public void Show(JobEvent happened, DateTimeOffset at)
    {
        if (happened is ProblemFound)
            output.Show(happened, at);
    }

    public void Say(string text) => output.Say(text);

    public bool HasJustTold(string text, int linesSince) => output.HasJustTold(text, linesSince);

    public ValueTask DisposeAsync() => output.DisposeAsync();
}
