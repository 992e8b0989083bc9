using Imapsync.CommandLine;

using var surroundings = HostContext.OfProcess();
return await CommandLineRoot.InvokeAsync(args, surroundings);
