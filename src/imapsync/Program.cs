using Imapsync.CommandLine;

using var surroundings = Surroundings.OfProcess();
return await CommandLineRoot.InvokeAsync(args, surroundings);
