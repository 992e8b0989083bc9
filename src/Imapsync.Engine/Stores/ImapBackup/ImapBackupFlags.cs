using System.Text.Json;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.ImapBackup;

/// <summary>
/// The file <c>NAME.imap</c> beside <c>NAME.mbox</c>: JSON with each message's flags and its offset in the mbox (version 3). Older versions have no
/// flags.
/// </summary>
internal static class ImapBackupFlags
{
    private const int MaxBytes = 512 << 20;
    private static readonly string[] System = ["Seen", "Answered", "Flagged", "Deleted", "Draft"];

    /// <summary>Reads the flags by offset in the mbox; empty for a version without flags, null where the file is not valid.</summary>
    public static Dictionary<long, FlagSet>? Read(ReadOnlySpan<byte> json)
    {
        var flags = new Dictionary<long, FlagSet>();
        var pool = new Dictionary<FlagSet, FlagSet>();
        var reader = new Utf8JsonReader(json.StartsWith("\uFEFF"u8) ? json[3..] : json);
        try
        {
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
                return null;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var isMessages = reader.ValueTextEquals("messages");
                reader.Read();
                if (!isMessages || reader.TokenType != JsonTokenType.StartArray)
                {
                    reader.Skip();
                    continue;
                }

                while (reader.Read() && reader.TokenType == JsonTokenType.StartObject)
                {
                    if (ReadMessage(ref reader) is not var (offset, found))
                        return null;
                    if (!pool.TryGetValue(found, out var held))
                        pool.Add(found, held = found);
                    flags[offset] = held;
                }
            }

            return flags;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The reader throws InvalidOperationException for text that is not UTF-8 or has half a surrogate pair.
            return null;
        }
    }

    public static Dictionary<long, FlagSet>? Read(Stream file)
    {
        if (file.Length > MaxBytes)
            return null;
        var octets = new byte[file.Length];
        file.ReadExactly(octets);
        return Read(octets);
    }

    private static (long Offset, FlagSet Flags)? ReadMessage(ref Utf8JsonReader reader)
    {
        var offset = -1L;
        var flags = new List<string>();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isOffset = reader.ValueTextEquals("offset");
            var isFlags = reader.ValueTextEquals("flags");
            reader.Read();
            if (isOffset && reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out var number))
                offset = number;
            else if (isFlags && reader.TokenType == JsonTokenType.StartArray)
                ReadFlags(ref reader, flags);
            else
                reader.Skip();
        }

        return offset < 0 ? null : (offset, FlagSet.Parse(flags));
    }

    /// <summary>Reads the flags. Ruby's IMAP library, which imap-backup uses, writes system flags without their backslash.</summary>
    private static void ReadFlags(ref Utf8JsonReader reader, List<string> flags)
    {
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.String)
            {
                reader.Skip();
                continue;
            }

            var flag = reader.GetString() ?? "";
            if (flag.Length > 0 && !flag.Equals("Recent", StringComparison.OrdinalIgnoreCase))
                flags.Add(System.Contains(flag, StringComparer.OrdinalIgnoreCase) ? "\\" + flag : flag);
        }
    }
}
