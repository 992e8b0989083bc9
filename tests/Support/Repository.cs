namespace Imapsync.Tests.Support;

/// <summary>The files that the tests are about where those are no code.</summary>
public static class Repository
{
    /// <summary>Where the solution lies, above the tests' own programs.</summary>
    public static string Root { get; } = FindRoot();

    private static string FindRoot()
    {
        var directory = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(directory, "imapsync.sln")))
            directory = Path.GetDirectoryName(directory) ?? throw new InvalidOperationException("the repository's root is not above the tests");
        return directory;
    }
}
