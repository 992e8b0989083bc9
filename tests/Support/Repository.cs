namespace Imapsync.Tests.Support;

/// <summary>Finds files of the repository that tests check, such as documents and scripts.</summary>
public static class Repository
{
    /// <summary>The path of the repository's root directory, which contains the solution file.</summary>
    public static string Root { get; } = FindRoot();

    private static string FindRoot()
    {
        var directory = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(directory, "imapsync.sln")))
            directory = Path.GetDirectoryName(directory) ?? throw new InvalidOperationException("the repository's root is not above the tests");
        return directory;
    }
}
