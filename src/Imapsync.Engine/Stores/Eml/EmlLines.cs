using System.Globalization;
using Imapsync.Engine.Files;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Eml;

/// <summary>Lines to append to an index (<see cref="EmlIndex"/>).</summary>
/// <param name="crc">The CRC of the index's last line.</param>
internal sealed class EmlLines(uint crc)
{
    public const int Version = 1;

    public const string DateFormat = "O";

    /// <summary>
    /// The most characters of a message's keywords that are recorded; further keywords are dropped. This limits the length of a line. No real
    /// message has that many keywords.
    /// </summary>
    private const int MostKeywordText = 32 * 1024;

    private readonly RecordWriter writer = new(crc);

    public static ReadOnlySpan<byte> Magic => "imapsync-eml"u8;

    public static ReadOnlySpan<byte> Message => "m"u8;

    public static ReadOnlySpan<byte> Found => "a"u8;

    public static ReadOnlySpan<byte> Changed => "f"u8;

    public static ReadOnlySpan<byte> Removed => "x"u8;

    public bool IsEmpty => writer.IsEmpty;

    public ReadOnlyMemory<byte> Octets => writer.Written;

    /// <summary>The CRC of the last line.</summary>
    public uint Crc => writer.Crc;

    /// <summary>Returns the first line of a new index.</summary>
    public static EmlLines New(UidValidity validity, Uid next)
    {
        var lines = new EmlLines(0);
        lines.writer.Begin(Magic).Add(Version).Add(validity.Value).Add(next.Value).End();
        return lines;
    }

    /// <summary>Discards the lines, which the caller has written to the file. The CRC of further lines continues from the last one.</summary>
    public void Clear() => writer.Clear();

    /// <summary>Adds a line for a message.</summary>
    /// <param name="record">Its slot is ignored.</param>
    /// <param name="name">The name of the message's file.</param>
    public void Add(in EmlRecord record, string name) =>
        AddFlags(
            writer.Begin(record.IsFound ? Found : Message).Add(record.Uid.Value).Add((ulong)record.Size)
                .Add(record.Date == default ? null : record.Date.ToString(DateFormat, CultureInfo.InvariantCulture)).Add(name),
            record.Flags);

    public void AddFlags(Uid uid, FlagSet flags) => AddFlags(writer.Begin(Changed).Add(uid.Value), flags);

    public void AddRemoval(Uid uid) => writer.Begin(Removed).Add(uid.Value).End();

    public static FlagSet Flags(ref RecordFields fields)
    {
        if (fields.AtEnd)
            return FlagSet.Empty;
        var flags = new List<string>();
        while (!fields.AtEnd)
            flags.Add(fields.RequiredText());
        return FlagSet.Parse(flags);
    }

    private static void AddFlags(RecordWriter line, FlagSet flags)
    {
        var room = MostKeywordText;
        foreach (var flag in flags.Names)
        {
            room -= flag.Length;
            if (room >= 0)
                line.Add(flag);
        }

        line.End();
    }
}
