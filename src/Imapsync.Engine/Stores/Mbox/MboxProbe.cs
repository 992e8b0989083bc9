using Imapsync.Engine.Files;

namespace Imapsync.Engine.Stores.Mbox;

/// <summary>The kind of a file or directory among mboxes, judged by its first octets and its name.</summary>
internal enum EntryKind
{
    /// <summary>An mbox, or a file that can't be read; opening the file will report the reason.</summary>
    Mbox,

    /// <summary>An empty file: a folder, unless its name is one that mail programs use for files of their own.</summary>
    Empty,

    /// <summary>Apparently not mail.</summary>
    Other,

    /// <summary>Mail in a format that is not supported here, or something that can't be opened.</summary>
    Unread,
}

/// <param name="What">A description of the entry for people, if the entry is not read; otherwise empty.</param>
internal readonly record struct MboxProbe(EntryKind Kind, string What = "")
{
    private const int BeginningBytes = 32 << 10;

    /// <summary>
    /// The most octets before the first postmark that count as left-over lines of an mbox. A file with more text before it is no mbox but a text that
    /// merely quotes a postmark.
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
        var text = beginning.StartsWith(PostmarkLines.ByteOrderMark) ? beginning[PostmarkLines.ByteOrderMark.Length..] : beginning;
        text = text.TrimStart("\r\n"u8);
        if (text.IsEmpty)
            return new MboxProbe(EntryKind.Empty);
        // A crash may leave NUL octets in place of the file's beginning.
        text = text.TrimStart((byte)0);
        if (text.IsEmpty || text.StartsWith("From "u8))
            return new MboxProbe(EntryKind.Mbox);
        if (Compression(beginning) is { } compression)
            return new MboxProbe(EntryKind.Unread, $"compressed by {compression}; unpack it");
        if (path.EndsWith(".emlx", StringComparison.OrdinalIgnoreCase) || path.EndsWith(".eml", StringComparison.OrdinalIgnoreCase))
            return new MboxProbe(EntryKind.Unread, "a single message and no mbox");
        if (HasLatePostmark(text))
            return new MboxProbe(EntryKind.Mbox);
        return OtherMail(beginning, path) is { } other ? new MboxProbe(EntryKind.Unread, other) : new MboxProbe(EntryKind.Other);
    }

    /// <summary>Returns a description of a file that is no mbox and holds mail nevertheless; null where the file seems to hold no mail.</summary>
    private static string? OtherMail(ReadOnlySpan<byte> beginning, string path) =>
        beginning.StartsWith("\u0001\u0001\u0001\u0001\n"u8) ? "mail in MMDF form; mutt can save it as an mbox"
        : beginning.StartsWith("*mbx*\r\n"u8) ? "mail in the MBX form of UW IMAP; mailutil can copy it into an mbox"
        : beginning.StartsWith("BABYL OPTIONS:"u8) ? "mail in the Babyl form of Emacs; M-x unrmail makes an mbox of it"
        : IsWide(beginning) ? "an mbox in UTF-16, as an editor may have saved it; save it as UTF-8"
        : OtherStores.FirstOrDefault(s => path.EndsWith(s, StringComparison.OrdinalIgnoreCase)) is { } store ? $"mail of another program ({store}), which an export from there makes readable"
        : IsHeader(beginning) ? "a single message and no mbox"
        : null;

    private static readonly string[] OtherStores = [".pst", ".ost", ".dbx", ".tbb", ".msg", ".olm", ".nsf"];

    private static readonly string[] TellingFields = ["From", "Received", "Return-Path", "Message-ID", "Delivered-To"];

    /// <summary>Returns whether a text in UTF-16 begins with a postmark.</summary>
    private static bool IsWide(ReadOnlySpan<byte> octets)
    {
        var text = octets.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xFE]) || octets.StartsWith((ReadOnlySpan<byte>)[0xFE, 0xFF]) ? octets[2..] : octets;
        return text.StartsWith("F\0r\0o\0m\0 \0"u8) || text.StartsWith("\0F\0r\0o\0m\0 "u8);
    }

    /// <summary>Returns whether a text begins with the header of a message: fields up to an empty line, at least one of them a field that only mail has.</summary>
    private static bool IsHeader(ReadOnlySpan<byte> text)
    {
        var isMail = false;
        while (true)
        {
            var end = text.IndexOf((byte)'\n');
            if (end < 0)
                return false;
            var line = text[..end].TrimEnd((byte)'\r');
            if (line.IsEmpty)
                return isMail;
            if (line[0] is not ((byte)' ' or (byte)'\t'))
            {
                if (!PostmarkLines.StartsWithField(line))
                    return false;
                var name = System.Text.Encoding.Latin1.GetString(line[..line.IndexOf((byte)':')].TrimEnd((byte)' '));
                isMail |= TellingFields.Contains(name, StringComparer.OrdinalIgnoreCase);
            }

            text = text[(end + 1)..];
        }
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
            if (end > 0 && Postmark.TryParse(line[..end], out _) && PostmarkLines.StartsWithField(line[(end + 1)..]))
                return true;
        }

        return false;
    }

    private static string? Compression(ReadOnlySpan<byte> octets) =>
        octets.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B]) ? "gzip"
        : octets.StartsWith("BZh"u8) ? "bzip2"
        : octets.StartsWith((ReadOnlySpan<byte>)[0xFD, 0x37, 0x7A, 0x58, 0x5A, 0]) ? "xz"
        : octets.StartsWith((ReadOnlySpan<byte>)[0x28, 0xB5, 0x2F, 0xFD]) ? "zstd"
        : octets.StartsWith("PK\u0003\u0004"u8) ? "zip"
        : null;
}
