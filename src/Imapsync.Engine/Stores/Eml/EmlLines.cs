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

    /// <summary>So much of a message's keywords is recorded, in characters; nobody has as many, and a line is bounded.</summary>
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

    /// <summary>Begins a new index.</summary>
    public static EmlLines New(UidValidity validity, Uid next)
    {
        var lines = new EmlLines(0);
        lines.writer.Begin(Magic).Add(Version).Add(validity.Value).Add(next.Value).End();
        return lines;
    }

    /// <summary>Discards the lines so far, which have been written, and continues after them.</summary>
    public void Clear() => writer.Clear();

    /// <summary>Adds a message; the record's slot is not looked at.</summary>
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
