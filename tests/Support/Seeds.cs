using System.Globalization;
using System.Runtime.CompilerServices;

namespace Imapsync.Tests.Support;

/// <summary>
/// The seeds of random tests. A normal run uses fixed ones, so that a new failure comes from changed code. The long mode (<c>tests/run.sh
/// --long</c>) uses random ones; <c>IMAPSYNC_SEED=N</c> repeats a failure.
/// </summary>
public static class Seeds
{
    public static int Next([CallerFilePath] string file = "", [CallerLineNumber] int line = 0)
    {
        if (int.TryParse(Environment.GetEnvironmentVariable("IMAPSYNC_SEED"), CultureInfo.InvariantCulture, out var given))
            return given;
        if (Environment.GetEnvironmentVariable("IMAPSYNC_TESTS_LONG") == "1")
            return Random.Shared.Next();
        return Path.GetFileName(file).Aggregate(line, (sum, c) => unchecked((sum * 31) + c)) & 0xffffff;
    }
}
