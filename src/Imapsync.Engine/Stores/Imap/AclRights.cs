namespace Imapsync.Engine.Stores.Imap;

/// <summary>
/// The letters of RFC 2086 and of RFC 4314, which split <c>c</c> into <c>k</c> (create below) and <c>x</c> (delete), and
/// <c>d</c> into <c>t</c> (\Deleted) and <c>e</c> (expunge). A server of the newer kind says RIGHTS= in its capabilities.
/// </summary>
internal static class AclRights
{
    private const string Common = "lrswipa";

    /// <summary>As RFC 4314 has them. <c>c</c> and <c>d</c>, which newer servers list for older clients, are not taken twice.</summary>
    public static string Read(string letters, bool isNewer)
    {
        var rights = letters.Where(l => l is not ('c' or 'd')).ToHashSet();
        if (letters.Contains('c') && !(isNewer && letters.AsSpan().ContainsAny('k', 'x')))
            rights.UnionWith("kx");
        if (letters.Contains('d') && !(isNewer && letters.AsSpan().ContainsAny('t', 'e')))
            rights.UnionWith("te");
        return Sorted(rights);
    }

    /// <summary>As the server wants them. An old letter is used only where both that it stands for are wanted: nobody gets more than they had.</summary>
    /// <param name="known">Letters that a server of the newer kind has besides the common ones; null for an older one.</param>
    public static (string Letters, string Lost) Write(string rights, string? known)
    {
        var letters = rights.Where(r => Common.Contains(r) || known?.Contains(r) == true).ToHashSet();
        var given = letters.ToHashSet();
        if (known is null)
        {
            foreach (var (old, pair) in new[] { ('c', "kx"), ('d', "te") })
            {
                if (!pair.All(rights.Contains))
                    continue;
                letters.Add(old);
                given.UnionWith(pair);
            }
        }

        return (Sorted(letters), Sorted(rights.Except(given)));
    }

    private static string Sorted(IEnumerable<char> letters) => string.Concat(letters.Distinct().Order());
}
