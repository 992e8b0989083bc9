using Imapsync.Engine.Progress;

namespace Imapsync.CommandLine.Output;

/// <summary>What happens in jobs is shown in two ways; what is said counts as told where the first has it.</summary>
internal sealed class BothOutputs(IProgressOutput screen, IProgressOutput log) : IProgressOutput
{
    public void Show(JobEvent happened)
    {
        screen.Show(happened);
        log.Show(happened);
    }

    public void Say(string text)
    {
        screen.Say(text);
        log.Say(text);
    }

    public bool HasJustTold(string text, int linesSince) => screen.HasJustTold(text, linesSince);

    public async ValueTask DisposeAsync()
    {
        await screen.DisposeAsync();
        await log.DisposeAsync();
    }
}
