namespace Imapsync.Engine.Stores.Maildir;

/// <summary>The directories of one folder.</summary>
internal sealed record MaildirPaths(string Directory)
{
    public string Cur { get; } = Path.Combine(Directory, "cur");

    public string New { get; } = Path.Combine(Directory, "new");

    public string Tmp { get; } = Path.Combine(Directory, "tmp");

    /// <summary>The folder is a real directory, and so are those of its three that exist: nothing leads out of the tree.</summary>
    public bool AreUsable =>
        LocalFiles.IsRealDirectory(Directory)
        && Array.TrueForAll([Cur, New, Tmp], LocalFiles.IsRealDirectoryOrNone);

    public void Create()
    {
        // tmp/ first and new/ last, so that whoever sees new/ may deliver.
        LocalFiles.CreateDirectory(Directory);
        LocalFiles.CreateDirectory(Tmp);
        LocalFiles.CreateDirectory(Cur);
        LocalFiles.CreateDirectory(New);
    }
}
