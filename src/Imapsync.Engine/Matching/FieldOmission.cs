
namespace Imapsync.Engine.Matching;

/// <summary>
/// Removes the header fields that mail programs write into stored messages, while a message is streamed. The header may have any length, since
/// only the start of one line is buffered.
/// </summary>
/// <param name="names">The names of the fields, without the colon.</param>
internal sealed class FieldOmission(IReadOnlyList<string> names)
{
    private const int DecisionLength = 64;

    private readonly byte[] start = new byte[DecisionLength];
    private readonly SortedSet<string> omitted = new(StringComparer.OrdinalIgnoreCase);
    private int startLength;
    private bool inHeader = true;
    private bool isDecided;
    private bool isLeftOut;

    /// <summary>The names of the fields that were removed.</summary>
    public IReadOnlyCollection<string> Omitted => omitted;

    /// <summary>
    /// Consumes some octets from the front of <paramref name="octets"/> and returns those of them that remain in the message. The result is valid until
    /// the next call.
    /// </summary>
    public ReadOnlySpan<byte> Take(ref ReadOnlySpan<byte> octets)
    {
        if (!inHeader || isDecided)
            return TakeDecided(ref octets);
        while (!octets.IsEmpty)
        {
            var octet = octets[0];
            octets = octets[1..];
            start[startLength++] = octet;
            if (octet is not ((byte)'\n' or (byte)':') && startLength < DecisionLength && !(startLength == 1 && IsBlank(octet)))
                continue;
            Decide(octet);
            var kept = isLeftOut ? default : start.AsSpan(0, startLength);
            startLength = 0;
            return kept;
        }

        return default;
    }

    /// <summary>Returns what is still buffered at the end of the message: the start of its last line.</summary>
    public ReadOnlySpan<byte> Finish() => start.AsSpan(0, startLength);

    /// <summary>Removes the fields from a message that is completely in memory.</summary>
    public byte[] Filter(ReadOnlySpan<byte> octets)
    {
        var kept = new List<byte>(octets.Length);
        while (!octets.IsEmpty)
            kept.AddRange(Take(ref octets));
        kept.AddRange(Finish());
        return [.. kept];
    }

    private ReadOnlySpan<byte> TakeDecided(ref ReadOnlySpan<byte> octets)
    {
        var end = inHeader ? octets.IndexOf((byte)'\n') : -1;
        var taken = end < 0 ? octets : octets[..(end + 1)];
        octets = octets[taken.Length..];
        isDecided = end < 0;
        return inHeader && isLeftOut ? default : taken;
    }

    private void Decide(byte last)
    {
        var line = start.AsSpan(0, startLength);
        isDecided = last != '\n';
        if (IsBlank(line[0]))
            return;
        isLeftOut = false;
        if (line is [(byte)'\n'] or [(byte)'\r', (byte)'\n'])
            inHeader = false;
        else if (last == ':' && NameOf(line[..^1].TrimEnd(" \t"u8)) is { } name)
            (isLeftOut, _) = (true, omitted.Add(name));
    }

    private string? NameOf(ReadOnlySpan<byte> field)
    {
        foreach (var name in names)
        {
            if (System.Text.Ascii.EqualsIgnoreCase(field, name))
                return name;
        }

        return null;
    }

    private static bool IsBlank(byte octet) => octet is (byte)' ' or (byte)'\t';
}
