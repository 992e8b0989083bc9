namespace Imapsync.Fleet.Dashboard;

/// <summary>The pages that the navigation links to.</summary>
internal static class Navigation
{
    public static IReadOnlyList<(string Address, string Text)> Links { get; } = [("/", "Batches"), ("/accounts", "Accounts"), ("/workers", "Workers"), ("/import", "Import")];

    /// <summary>Whether the page shown is that of the link, or below it.</summary>
    public static bool IsHere(string address, PathString path) => address == "/" ? path == "/" : path.StartsWithSegments(address, StringComparison.Ordinal);
}
