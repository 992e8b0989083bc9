using System.Globalization;
using System.Numerics;
using System.Text;
using Imapsync.Engine.Stores.Local;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Mbox;

/// <summary>
/// The lines of an index file, each followed by the CRC-32C of its text:
/// <code>
/// imapsync-index 1 UIDVALIDITY UIDNEXT COUNT        first line; COUNT messages follow
/// m UID OFFSET LENGTH OCTETS DATE FORM DIGEST FLAGS KEY a message; lines of older versions have no KEY
/// w OFFSET UIDNEXT                                  a window of messages will be written from OFFSET on
/// b OFFSET OCTETS POSTMARK                          a message of the window, before it is written
/// d LENGTH MODIFIED UIDNEXT COUNT                   the window is complete: length and time of the mbox after it
/// </code>
/// </summary>
internal static class IndexLines
{
    public const string Magic = "imapsync-index";

    public static void AppendHeader(ByteBuffer to, UidValidity validity, Uid uidNext, int count) =>
        AppendLine(to, string.Create(CultureInfo.InvariantCulture, $"{Magic} 1 {validity} {uidNext} {count}"));

    public static void AppendMessage(ByteBuffer to, MboxRecord record)
    {
        var form = record.Form == MboxForm.None ? "-" : Postmark.Letters(record.Form);
        AppendLine(to, string.Create(
            CultureInfo.InvariantCulture,
            $"m {record.Uid} {record.Offset} {record.Length} {record.Octets} {record.Date:O} {form} {record.Digest:x32} {FormatFlags(record.Flags)} {record.Key:x16}"));
    }

    public static void AppendWindow(ByteBuffer to, long offset, Uid uidNext) =>
        AppendLine(to, string.Create(CultureInfo.InvariantCulture, $"w {offset} {uidNext}"));

    public static void AppendBegin(ByteBuffer to, long offset, BegunMessage begun) =>
        AppendLine(to, string.Create(CultureInfo.InvariantCulture, $"b {offset} {begun.Octets} {FileNames.EscapeWord(begun.Postmark)}"));

    public static void AppendDone(ByteBuffer to, MboxStamp stamp, Uid uidNext, int count) =>
        AppendLine(to, string.Create(CultureInfo.InvariantCulture, $"d {stamp.Length} {stamp.ModifiedTicks} {uidNext} {count}"));

    /// <summary>Returns the words of a line (without LF) if its CRC is right; otherwise null.</summary>
    public static string[]? Read(ReadOnlySpan<byte> line)
    {
        if (line.Length < 10 || line[^9] != ' ' || !Ascii.IsValid(line))
            return null;
        if (!uint.TryParse(line[^8..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var crc) || crc != Crc(line[..^9]))
            return null;
        return Encoding.ASCII.GetString(line[..^9]).Split(' ');
    }

    public static MboxRecord? ReadMessage(string[] words, FlagSetPool pool)
    {
        var key = 0UL;
        if (words.Length is not (9 or 10)
            || (words.Length == 10 && !ulong.TryParse(words[9], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out key))
            || !uint.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out var uid) || uid is 0 or uint.MaxValue
            || !TryNumber(words[2], out var offset) || !TryNumber(words[3], out var length) || !TryNumber(words[4], out var octets)
            || !DateTimeOffset.TryParseExact(words[5], "O", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date)
            || !UInt128.TryParse(words[7], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var digest))
            return null;
        return new MboxRecord(new Uid(uid), offset, length, octets, date, Postmark.FormOf(words[6]), digest, pool.Intern(ReadFlags(words[8])), key);
    }

    public static bool TryNumber(string word, out long number) =>
        long.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number < long.MaxValue / 4;

    private static string FormatFlags(FlagSet flags) => flags.IsEmpty ? "-" : string.Join(',', flags.Names.Select(FileNames.EscapeWord));

    private static FlagSet ReadFlags(string word) =>
        word == "-" ? FlagSet.Empty : FlagSet.Parse(word.Split(',').Select(FileNames.Unescape));

    private static void AppendLine(ByteBuffer to, string text)
    {
        var octets = Encoding.ASCII.GetBytes(text);
        to.Append(octets);
        to.Append(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $" {Crc(octets):x8}\n")));
    }

    private static uint Crc(ReadOnlySpan<byte> octets)
    {
        var crc = uint.MaxValue;
        foreach (var octet in octets)
            crc = BitOperations.Crc32C(crc, octet);
        return ~crc;
    }
}
