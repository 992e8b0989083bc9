using Imapsync.Engine.Stores.Local;

namespace Imapsync.Engine.Stores.Maildir;

/// <summary>The directories of one folder.</summary>
internal sealed record MaildirPaths(string Directory)
{
    public string Cur { get; } = Path.Combine(Directory, "cur");

    public string New { get; } = Path.Combine(Directory, "new");

    public string Tmp { get; } = Path.Combine(Directory, "tmp");

    /// <summary>Examines each directory once to see which ones exist.</summary>
    public MaildirLook Look()
    {
        var directory = LocalFiles.Judge(Directory);
        if (directory != true)
            return new MaildirLook(IsUsable: directory is null, HasCur: false, HasNew: false, HasTmp: false);
        var (cur, @new, tmp) = (LocalFiles.Judge(Cur), LocalFiles.Judge(New), LocalFiles.Judge(Tmp));
        return new MaildirLook(IsUsable: cur != false && @new != false && tmp != false, cur == true, @new == true, tmp == true);
    }

    public void Create()
    {
        // tmp/ is created first and new/ last, because a delivery program that sees new/ must be able to deliver. The first call also
        // creates the folder's own directory.
        LocalFiles.CreateDirectory(Tmp);
        LocalFiles.CreateDirectory(Cur);
        LocalFiles.CreateDirectory(New);
    }
}

/// <param name="IsUsable">False if the folder's directory, cur/, new/ or tmp/ is a link or a file instead of a directory.</param>
internal readonly record struct MaildirLook(bool IsUsable, bool HasCur, bool HasNew, bool HasTmp)
{
    public bool IsWhole => HasCur && HasNew && HasTmp;
}
