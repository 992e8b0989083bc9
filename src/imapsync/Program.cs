using Imapsync.CommandLine;

// Answered before anything is loaded: scripts ask for it often.
if (args is ["--version"])
{
    Console.Out.WriteLine($"imapsync {ProgramVersion.Text}");
    return ExitStatus.Ok;
}

if (args is ["run", ..])
    Rehearsal.Begin();
using var surroundings = Surroundings.OfProcess();
return await CommandLineRoot.InvokeAsync(args, surroundings);
