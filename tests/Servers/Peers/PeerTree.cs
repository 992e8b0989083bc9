namespace Imapsync.Servers.Tests.Peers;

/// <summary>How another program lays out folders on disk.</summary>
/// <param name="Layout">What the job says of it.</param>
/// <param name="NameOf">The folder that a directory below the tree is, by its path there; null for the tree itself.</param>
public sealed record PeerTree(string Layout, Func<string, string> NameOf)
{
    /// <summary>mbsync's <c>SubFolders Verbatim</c>, OfflineIMAP's <c>sep = /</c>: nested, and INBOX is a directory as the others are.</summary>
    public static readonly PeerTree Nested = new("fs", path => path);

    /// <summary>mbsync's <c>SubFolders Legacy</c>: nested, with a dot before each name below the first level.</summary>
    public static readonly PeerTree DottedBelow = new("fs", path => path.Replace("/.", "/"));

    /// <summary>mbsync's <c>SubFolders Maildir++</c>.</summary>
    public static readonly PeerTree MaildirPlusPlus = new("maildir++", path => path.Length == 0 ? "INBOX" : path[1..].Replace('.', '/'));

    /// <summary>OfflineIMAP's <c>sep = .</c>: one level of directories, the levels of a name joined by dots.</summary>
    public static readonly PeerTree Flat = new("fs", path => path);
}
