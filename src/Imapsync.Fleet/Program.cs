using Imapsync.Fleet.Commands;

return await FleetCommandLine.InvokeAsync(args, Console.Out, Console.Error);
