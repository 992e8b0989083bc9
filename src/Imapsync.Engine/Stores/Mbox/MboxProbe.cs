using Imapsync.Engine.Files;
using Imapsync.Engine.Stores.Local;

namespace Imapsync.Engine.Stores.Mbox;

/// <summary>What a file or directory in a tree of mboxes is, judged by its first octets and its name.</summary>
internal enum EntryKind
{
    /// <summary>An mbox, or a file that can't be read; opening the file will report the reason.</summary>
    Mbox,

    /// <summary>An empty file. It is a folder without messages, unless mail programs use its name for another purpose.</summary>
    Empty,

    /// <summary>Apparently not mail.</summary>
    Other,

    /// <summary>
    /// Mail in a format that this store does not read (such as a compressed file or a single message), or a special file such as a pipe.
    /// </summary>
    Unread,
}

/// <param name="What">For an entry that is not read, what it is, in words for the user; otherwise empty.</param>
internal readonly record struct MboxProbe(EntryKind Kind, string What = "")
{
    private const int BeginningBytes = 32 << 10;

    /// <summary>
    /// The most octets before the first postmark that count as left-over lines of an mbox. A file with more text before it merely quotes a
    /// postmark.
    /// </summary>
    private const int MaxLeadingBytes = 4 << 10;

    public static MboxProbe OfFile(string path)
    {
        try
        {
            if (Nodes.KindOf(path) is NodeKind.Other)
                return new MboxProbe(EntryKind.Unread, "a pipe, a socket or a device");
            using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            Span<byte> beginning = new byte[(int)Math.Min(BeginningBytes, RandomAccess.GetLength(file))];
            return OfBeginning(beginning[..RandomAccess.Read(file, beginning, 0)], path);
        }
        catch (Exception error) when (FileErrors.Is(error))
        {
            return new MboxProbe(EntryKind.Mbox);
        }
    }

    private static readonly string[] MaildirParts = ["cur", "new", "tmp"];

    /// <summary>Returns why a directory is no folder of mboxes; null where it may be one.</summary>
    public static string? OfDirectory(string path)
    {
        if (MaildirParts.All(d => Directory.Exists(Path.Combine(path, d))))
            return "a Maildir, read as maildir:";
        return Path.GetExtension(path).Equals(".mbox", StringComparison.OrdinalIgnoreCase) && !File.Exists(Path.Combine(path, "mbox"))
            && Directory.EnumerateFiles(path, "*.emlx", SearchOption.AllDirectories).Any()
            ? "a package of .emlx files, which an export from Apple Mail turns into an mbox"
            : null;
    }

    private static MboxProbe OfBeginning(ReadOnlySpan<byte> beginning, string path)
    {
        var text = beginning.StartsWith(ForeignMail.ByteOrderMark) ? beginning[ForeignMail.ByteOrderMark.Length..] : beginning;
        text = text.TrimStart("\r\n"u8);
        if (text.IsEmpty)
            return new MboxProbe(EntryKind.Empty);
        // A crash may leave NUL octets in place of the file's beginning.
        text = text.TrimStart((byte)0);
        if (text.IsEmpty || text.StartsWith("From "u8))
            return new MboxProbe(EntryKind.Mbox);
        if (ForeignMail.Compression(beginning) is { } compression)
            return new MboxProbe(EntryKind.Unread, $"compressed by {compression}; unpack it");
        if (path.EndsWith(".emlx", StringComparison.OrdinalIgnoreCase) || path.EndsWith(".eml", StringComparison.OrdinalIgnoreCase))
            return new MboxProbe(EntryKind.Unread, "a single message and no mbox");
        if (HasLatePostmark(text))
            return new MboxProbe(EntryKind.Mbox);
        return ForeignMail.OtherThanMbox(beginning, path) is not { } other ? new MboxProbe(EntryKind.Other)
            : new MboxProbe(EntryKind.Unread, other == ForeignMail.SingleMessage ? $"{other} and no mbox" : other);
    }

    private static bool HasLatePostmark(ReadOnlySpan<byte> text)
    {
        for (var from = 0; from < MaxLeadingBytes;)
        {
            var at = text[from..].IndexOf("\nFrom "u8);
            if (at < 0 || from + at > MaxLeadingBytes)
                return false;
            from += at + 1;
            var line = text[from..];
            var end = line.IndexOf((byte)'\n');
            if (end > 0 && Postmark.TryParse(line[..end], out _) && ForeignMail.StartsWithField(line[(end + 1)..]))
                return true;
        }

        return false;
    }
}
