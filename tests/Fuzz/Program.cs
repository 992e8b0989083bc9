using Imapsync.Fuzz.Tests;
using Xunit.Runner.InProc.SystemConsole;

// "fuzz" as the first word looks for what the tests' few inputs do not find: tests/fuzz.sh. Anything else runs the tests.
return args is ["fuzz", .. var rest] ? FuzzCommand.Run(rest) : await ConsoleRunner.Run(args);
