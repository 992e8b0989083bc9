namespace Imapsync.Engine.Stores.Imap;

/// <summary>
/// Converts the letters for access rights of RFC 2086 and RFC 4314. RFC 4314 splits <c>c</c> into <c>k</c> (create below) and <c>x</c>
/// (delete), and <c>d</c> into <c>t</c> (\Deleted) and <c>e</c> (expunge). A server that implements RFC 4314 announces RIGHTS= in its
/// capabilities.
/// </summary>
internal static class AclRights
{
    private const string Common = "lrswipa";

    /// <summary>
    /// Converts the letters that a server lists to the letters of RFC 4314. <c>c</c> and <c>d</c> are ignored if the server also lists the
    /// new letters; such servers list the old ones for old clients only.
    /// </summary>
    public static string Read(string letters, bool isNewer)
    {
        var rights = letters.Where(l => l is not ('c' or 'd')).ToHashSet();
        if (letters.Contains('c') && !(isNewer && letters.AsSpan().ContainsAny('k', 'x')))
            rights.UnionWith("kx");
        if (letters.Contains('d') && !(isNewer && letters.AsSpan().ContainsAny('t', 'e')))
            rights.UnionWith("te");
        return Sorted(rights);
    }

    /// <summary>
    /// Writes rights in the letters that the server uses. A combined old letter is used only where both rights that it stands for are wanted,
    /// so nobody gains a right.
    /// </summary>
    /// <param name="known">Letters that a server of RFC 4314 supports besides the common ones; null for a server of RFC 2086.</param>
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
