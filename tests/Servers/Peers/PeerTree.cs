namespace Imapsync.Servers.Tests.Peers;

/// <summary>How another program lays out folders on disk.</summary>
/// <param name="Layout">The value of the job's <c>layout:</c>.</param>
/// <param name="NameOf">Maps a directory's path below the tree (empty for the tree itself) to its folder name.</param>
public sealed record PeerTree(string Layout, Func<string, string> NameOf)
{
    /// <summary>mbsync's <c>SubFolders Verbatim</c> and OfflineIMAP's <c>sep = /</c>: nested directories, INBOX among them.</summary>
    public static readonly PeerTree Nested = new("fs", path => path);

    /// <summary>
    /// mbsync's <c>SubFolders Legacy</c>: nested directories, with a dot before each name below the first level (Work/.Sub).
    /// </summary>
    public static readonly PeerTree DottedBelow = new("fs", path => path.Replace("/.", "/"));

    /// <summary>mbsync's <c>SubFolders Maildir++</c>.</summary>
    public static readonly PeerTree MaildirPlusPlus = new("maildir++", path => path.Length == 0 ? "INBOX" : path[1..].Replace('.', '/'));

    /// <summary>OfflineIMAP's <c>sep = .</c>: one level of directories, such as Work.Sub for the folder Work/Sub.</summary>
    public static readonly PeerTree Flat = new("fs", path => path);
}
