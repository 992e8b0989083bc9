using Imapsync.Fuzz.Tests;
using Xunit.Runner.InProc.SystemConsole;

// With "fuzz" as first argument the program fuzzes with many more inputs than the tests do (tests/fuzz.sh); otherwise it runs the tests.
return args is ["fuzz", .. var rest] ? FuzzCommand.Run(rest) : await ConsoleRunner.Run(args);
