using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Imap;

/// <summary>Maps between LIST attributes (RFC 6154, XLIST) and the purpose of a folder.</summary>
internal static class SpecialUse
{
    private static readonly (string Attribute, SpecialFolder Folder)[] Attributes =
    [
        ("\\All", SpecialFolder.All), ("\\AllMail", SpecialFolder.All), ("\\Archive", SpecialFolder.Archive),
        ("\\Drafts", SpecialFolder.Drafts), ("\\Flagged", SpecialFolder.Flagged), ("\\Starred", SpecialFolder.Flagged),
        ("\\Important", SpecialFolder.Important), ("\\Junk", SpecialFolder.Junk), ("\\Spam", SpecialFolder.Junk),
        ("\\Sent", SpecialFolder.Sent), ("\\Trash", SpecialFolder.Trash),
    ];

    public static SpecialFolder ByAttribute(IReadOnlySet<string> attributes) =>
        Array.Find(Attributes, a => attributes.Contains(a.Attribute)).Folder;

    /// <summary>Returns the attribute for CREATE … USE; null where RFC 6154 defines none.</summary>
    public static string? AttributeOf(SpecialFolder folder) => folder switch
    {
        SpecialFolder.None or SpecialFolder.Inbox => null,
        _ => Array.Find(Attributes, a => a.Folder == folder).Attribute,
    };
}
