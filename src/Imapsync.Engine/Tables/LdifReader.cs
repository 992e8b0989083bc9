using System.Globalization;
using System.Text;

namespace Imapsync.Engine.Tables;

/// <summary>
/// Reads LDIF (RFC 2849): a row for each entry, a column for each attribute, <c>dn</c> first. An attribute with several values in some
/// entry also has columns <c>mail[1]</c>, <c>mail[2]</c>. The octets are held in memory and read twice, because all columns are known only
/// at the end.
/// </summary>
public sealed class LdifReader : IRowReader
{
    /// <summary>The most numbered columns (<c>mail[1]</c>, <c>mail[2]</c>) of an attribute that has several values.</summary>
    private const int MaxNumbered = 9;

    private readonly LdifLines lines;
    private readonly List<string> columns = [];
    private readonly Dictionary<string, int> positions = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<int, (string, string)> troubles = [];

    private LdifReader(byte[] octets) => lines = new LdifLines(octets);

    public IReadOnlyList<string> Columns => columns;

    public int Line { get; private set; }

    public string[] Cells { get; private set; } = [];

    public (string Message, string Remedy)? TroubleOf(int column) => troubles.TryGetValue(column, out var trouble) ? trouble : null;

    /// <param name="source">The stream, which is read to its end and not disposed of.</param>
    /// <exception cref="TableException">The file can't be read; the exception names the first wrong line.</exception>
    public static LdifReader Read(Stream source)
    {
        var reader = new LdifReader(HeldOctets.ReadAsync(source, TooMuch, CancellationToken.None).GetAwaiter().GetResult().ToArray());
        var most = new Dictionary<string, int>(StringComparer.OrdinalIgnoreCase);
        while (reader.NextEntry() is { } entry)
        {
            foreach (var attribute in entry.GroupBy(a => a.Name, StringComparer.OrdinalIgnoreCase))
            {
                if (!most.TryGetValue(attribute.Key, out var before))
                    reader.columns.Add(attribute.First().Name);
                most[attribute.Key] = Math.Max(before, attribute.Count());
            }
        }

        if (reader.columns.Count == 0)
            throw new TableException(0, 0, "there is no entry in it", "look whether the search finds anything, or this is the file that was meant");
        foreach (var name in reader.columns.ToList())
        {
            for (var i = 1; most[name] > 1 && i <= Math.Min(most[name], MaxNumbered); i++)
                reader.columns.Add(Numbered(name, i));
        }

        foreach (var (at, name) in reader.columns.Index())
            reader.positions.Add(name, at);
        reader.lines.Rewind();
        return reader;
    }

    public bool ReadRow()
    {
        if (NextEntry() is not { } entry)
            return false;
        var cells = new string[columns.Count];
        Array.Fill(cells, "");
        troubles.Clear();
        foreach (var attribute in entry.GroupBy(a => a.Name, StringComparer.OrdinalIgnoreCase))
        {
            var count = 0;
            foreach (var (_, value) in attribute)
            {
                if (count == 0)
                    Take(positions[attribute.Key], value);
                if (++count <= MaxNumbered && positions.TryGetValue(Numbered(attribute.Key, count), out var at))
                    Take(at, value);
            }

            if (count > 1)
                troubles[positions[attribute.Key]] = ($"'{attribute.Key}' has {count} values in this entry", $"name one of them, {{{Numbered(attribute.Key, 1)}}} is the first, or leave one");
        }

        Cells = cells;
        return true;

        void Take(int at, string? value)
        {
            cells[at] = value ?? "";
            if (value is null)
                troubles[at] = ($"the value of '{columns[at]}' in this entry is no UTF-8 text", "use another attribute");
        }
    }

    public void Dispose()
    {
    }

    private static string Numbered(string name, int number) => string.Create(CultureInfo.InvariantCulture, $"{name}[{number}]");

    private static TableException TooMuch() => new(0, 0, $"this is larger than {HeldOctets.Most >> 20} MiB", "ask for the attributes alone that are needed, or split it");

    /// <summary>Returns the attributes of the next entry, its dn first; null at the end. A value is null if it is not text.</summary>
    private List<(string Name, string? Value)>? NextEntry()
    {
        var entry = new List<(string Name, string? Value)>();
        while (lines.Next() is { } line)
        {
            if (line.Length == 0)
            {
                if (entry.Count > 0)
                    return entry;
                continue;
            }

            var (name, value) = ReadAttribute(line);
            if (entry.Count == 0 && name.Equals("version", StringComparison.OrdinalIgnoreCase) && lines.IsFirst)
            {
                if (value != "1")
                    throw Wrong("this is no LDIF of version 1", "write 'version: 1'");
                continue;
            }

            if (entry.Count == 0)
            {
                if (!name.Equals("dn", StringComparison.OrdinalIgnoreCase))
                    throw Wrong("an entry begins with its 'dn', and this one does not", "look whether this is LDIF; ldapsearch prints it with -LLL");
                Line = lines.Number;
            }
            else if (name.Equals("dn", StringComparison.OrdinalIgnoreCase))
            {
                throw Wrong("an entry has a second 'dn'", "put an empty line between entries");
            }
            else if (name.Equals("changetype", StringComparison.OrdinalIgnoreCase) || name.Equals("control", StringComparison.OrdinalIgnoreCase))
            {
                throw Wrong("this is a list of changes, not of entries", "give the entries themselves, as slapcat and ldapsearch -LLL print them");
            }

            entry.Add((name, value));
        }

        return entry.Count > 0 ? entry : null;
    }

    private (string Name, string? Value) ReadAttribute(ReadOnlySpan<byte> line)
    {
        var colon = line.IndexOf((byte)':');
        var name = colon > 0 ? Encoding.ASCII.GetString(line[..colon]) : "";
        if (name.Length == 0 || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or ';' or '.'))
            throw Wrong("this line does not begin with an attribute's name and a colon", "look whether this is LDIF; a line that goes on in the next one begins there with a blank");
        var rest = line[(colon + 1)..];
        switch (rest)
        {
            case [(byte)'<', ..]:
                throw Wrong($"the value of '{name}' is to be fetched from a URL, which is not done here", "write the value itself");
            case [(byte)':', ..]:
                var base64 = Encoding.ASCII.GetString(rest[1..].Trim(" "u8));
                var octets = new byte[base64.Length];
                if (!Convert.TryFromBase64String(base64, octets, out var length))
                    throw Wrong($"the value of '{name}' is no base64", "correct it, or write it with a single colon");
                return (name, Text(octets.AsSpan(0, length)));
            default:
                return (name, Text(rest.TrimStart((byte)' ')));
        }
    }

    private static string? Text(ReadOnlySpan<byte> octets) =>
        System.Text.Unicode.Utf8.IsValid(octets) && octets.IndexOf((byte)0) < 0 ? Encoding.UTF8.GetString(octets) : null;

    private TableException Wrong(string message, string remedy) => new(lines.Number, 0, message, remedy);
}

/// <summary>Reads the lines of LDIF, with folded lines joined and without comments (RFC 2849, notes 2 and 10).</summary>
internal sealed class LdifLines(byte[] octets)
{
    private int position;
    private int number;
    private int taken;

    /// <summary>The line of the file, from 1, at which the last line returned by <see cref="Next"/> begins.</summary>
    public int Number { get; private set; }

    /// <summary>Whether the line read last is the first that is neither empty nor a comment.</summary>
    public bool IsFirst => taken == 1;

    public void Rewind() => (position, number, taken) = (octets.AsSpan().StartsWith("\uFEFF"u8) ? 3 : 0, 0, 0);

    /// <summary>Returns the next line; an empty array for a line that separates entries, null at the end.</summary>
    public byte[]? Next()
    {
        if (number == 0)
            Rewind();
        while (position < octets.Length)
        {
            var start = number + 1;
            var line = Physical();
            if (line.Length == 0)
            {
                Number = start;
                return [];
            }

            if (line[0] == ' ')
                throw new TableException(start, 0, "a line that begins with a blank goes on with the one above, and there is none", "take the blank away");
            List<byte>? folded = null;
            while (position < octets.Length && octets[position] == ' ')
            {
                folded ??= [.. line];
                folded.AddRange(Physical()[1..]);
            }

            if (line[0] == '#')
                continue;
            (Number, taken) = (start, taken + 1);
            return folded is null ? line.ToArray() : [.. folded];
        }

        return null;
    }

    private ReadOnlySpan<byte> Physical()
    {
        number++;
        var rest = octets.AsSpan(position);
        var end = rest.IndexOf((byte)'\n');
        var line = end < 0 ? rest : rest[..end];
        position += end < 0 ? rest.Length : end + 1;
        return line.EndsWith("\r"u8) ? line[..^1] : line;
    }
}
