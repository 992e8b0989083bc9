using System.Text;
using Imapsync.Engine.Files;

namespace Imapsync.Engine.Stores.Local;

/// <summary>Recognises mail by a file's first octets and its name, so that a store can report mail that it does not read.</summary>
internal static class ForeignMail
{
    private const int BeginningBytes = 32 << 10;

    private static readonly string[] OtherStores = [".pst", ".ost", ".dbx", ".tbb", ".msg", ".olm", ".nsf"];

    private static readonly string[] MailSuffixes = [".mbox", ".mbx", ".eml", ".emlx"];

    private static readonly string[] TellingFields = ["From", "Received", "Return-Path", "Message-ID", "Delivered-To"];

    /// <summary>What a file with one message and nothing else is called.</summary>
    public const string SingleMessage = "a single message";

    /// <summary>The UTF-8 byte order mark, which some editors put at the beginning of a file.</summary>
    public static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    /// <summary>Returns what mail a file holds, for people; null where it seems to hold none, is no ordinary file, or can't be read.</summary>
    public static string? OfFile(string path)
    {
        try
        {
            if (Nodes.KindOf(path) is not NodeKind.OrdinaryFile)
                return null;
            using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            Span<byte> beginning = new byte[(int)Math.Min(BeginningBytes, RandomAccess.GetLength(file))];
            beginning = beginning[..RandomAccess.Read(file, beginning, 0)];
            return IsMbox(beginning) ? "an mbox"
                : Compression(beginning) is { } packed ? HasMailName(Path.GetFileNameWithoutExtension(path)) ? $"mail compressed by {packed}" : null
                : HasMailName(path) && IsAppleMail(beginning) ? "a message of Apple Mail"
                : OtherThanMbox(beginning, path);
        }
        catch (Exception error) when (FileErrors.Is(error))
        {
            return null;
        }
    }

    /// <summary>Describes the mail in a file that is not an mbox, and how to make it readable; null where the file seems to hold no mail.</summary>
    public static string? OtherThanMbox(ReadOnlySpan<byte> beginning, string path) =>
        beginning.StartsWith("\u0001\u0001\u0001\u0001\n"u8) ? "mail in MMDF form; mutt can save it as an mbox"
        : beginning.StartsWith("*mbx*\r\n"u8) ? "mail in the MBX form of UW IMAP; mailutil can copy it into an mbox"
        : beginning.StartsWith("BABYL OPTIONS:"u8) ? "mail in the Babyl form of Emacs; M-x unrmail makes an mbox of it"
        : IsWide(beginning) ? "an mbox in UTF-16, as an editor may have saved it; save it as UTF-8"
        : OtherStores.FirstOrDefault(s => path.EndsWith(s, StringComparison.OrdinalIgnoreCase)) is { } store ? $"mail of another program ({store}), which an export from there makes readable"
        : IsHeader(beginning) ? SingleMessage
        : null;

    /// <summary>Returns the program that compressed a file; null for none.</summary>
    public static string? Compression(ReadOnlySpan<byte> octets) =>
        octets.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B]) ? "gzip"
        : octets.StartsWith("BZh"u8) ? "bzip2"
        : octets.StartsWith((ReadOnlySpan<byte>)[0xFD, 0x37, 0x7A, 0x58, 0x5A, 0]) ? "xz"
        : octets.StartsWith((ReadOnlySpan<byte>)[0x28, 0xB5, 0x2F, 0xFD]) ? "zstd"
        : octets.StartsWith("PK\u0003\u0004"u8) ? "zip"
        : null;

    /// <summary>Whether a text begins with a header field.</summary>
    public static bool StartsWithField(ReadOnlySpan<byte> line)
    {
        var name = line.IndexOfAnyExceptInRange((byte)'!', (byte)'~');
        var colon = line.IndexOf((byte)':');
        if (colon < 1)
            return false;
        if (name < 0 || colon < name)
            return true;
        // Blanks may stand before the colon (RFC 5322 §4.5).
        return name > 0 && line[name..colon].IndexOfAnyExcept((byte)' ', (byte)'\t') < 0;
    }

    private static bool HasMailName(string path) => MailSuffixes.Any(s => path.EndsWith(s, StringComparison.OrdinalIgnoreCase));

    /// <summary>
    /// Whether a text begins with a postmark and a header field after it. A log of deliveries is not mail: in it, blanks stand before what looks like
    /// a field.
    /// </summary>
    private static bool IsMbox(ReadOnlySpan<byte> beginning)
    {
        var text = (beginning.StartsWith(ByteOrderMark) ? beginning[ByteOrderMark.Length..] : beginning).TrimStart("\r\n"u8);
        return text.StartsWith("From "u8) && StartsWithField(text[(text.IndexOf((byte)'\n') + 1)..]);
    }

    /// <summary>
    /// Whether a text begins like a file of Apple Mail: a line with a number, which is the message's length, and then a header field.
    /// </summary>
    private static bool IsAppleMail(ReadOnlySpan<byte> beginning)
    {
        var end = beginning.IndexOf((byte)'\n');
        return end > 0 && beginning[..end].TrimEnd((byte)' ').IndexOfAnyExceptInRange((byte)'0', (byte)'9') < 0 && StartsWithField(beginning[(end + 1)..]);
    }

    /// <summary>Whether a text in UTF-16 begins with a postmark.</summary>
    private static bool IsWide(ReadOnlySpan<byte> octets)
    {
        var text = octets.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xFE]) || octets.StartsWith((ReadOnlySpan<byte>)[0xFE, 0xFF]) ? octets[2..] : octets;
        return text.StartsWith("F\0r\0o\0m\0 \0"u8) || text.StartsWith("\0F\0r\0o\0m\0 "u8);
    }

    /// <summary>Whether a text begins with the header of a message: fields up to an empty line, one of them a field that mail has.</summary>
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
                if (!StartsWithField(line))
                    return false;
                var name = Encoding.Latin1.GetString(line[..line.IndexOf((byte)':')].TrimEnd((byte)' '));
                isMail |= TellingFields.Contains(name, StringComparer.OrdinalIgnoreCase);
            }

            text = text[(end + 1)..];
        }
    }
}
