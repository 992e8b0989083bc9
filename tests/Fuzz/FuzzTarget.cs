using System.Text;
using Imapsync.Tests.Support;

namespace Imapsync.Fuzz.Tests;

/// <summary>
/// A reader of untrusted octets to be fuzzed. It must be deterministic, so that a saved input always gives the same result.
/// </summary>
/// <param name="Name">One word, which is also the name of the folder with its saved inputs.</param>
/// <param name="Read">Reads one input. It must catch the exceptions that the reader documents; any other exception is a finding.</param>
/// <param name="Seeds">Valid inputs, at least one.</param>
internal sealed record FuzzTarget(string Name, Action<byte[]> Read, IReadOnlyList<byte[]> Seeds)
{
    private const int MaxLength = 64 << 10;

    /// <summary>
    /// Pieces of input that are meaningful to this reader, in addition to pieces that often cause failures in any reader.
    /// </summary>
    public IReadOnlyList<byte[]> Words { get; init; } = [];

    /// <summary>Generates an input from the reader's grammar; null if inputs are only made by damaging valid ones.</summary>
    public Func<Random, byte[]>? Grammar { get; init; }

    /// <summary>
    /// Corrects the checksums of a mutated input, so that the reader goes on to its contents; null if the format has none.
    /// </summary>
    public Func<byte[], byte[]>? Seal { get; init; }

    /// <summary>How many octets reading may allocate regardless of the input's length, e.g. for buffers.</summary>
    public long BaseBytes { get; init; } = 4 << 20;

    /// <summary>How many octets reading may allocate for each octet of the input.</summary>
    public long BytesPerOctet { get; init; } = 1000;

    /// <summary>The target's share of inputs, relative to other targets; lower for slow ones.</summary>
    public double Weight { get; init; } = 1;

    public static byte[][] Texts(params string[] texts) => [.. texts.Select(Encoding.UTF8.GetBytes)];

    public byte[] Make(Random random)
    {
        var octets = Grammar is not null && random.Next(2) == 0 ? Grammar(random) : Seeds[random.Next(Seeds.Count)];
        var damage = random.Next(8);
        if (damage > 0)
            octets = Mutation.Apply(octets, Seeds[random.Next(Seeds.Count)], Words.Count == 0 || random.Next(3) == 0 ? Mutation.Nasty : Words, random);
        if (octets.Length > 0 && damage == 1)
            octets = octets[random.Next(octets.Length)..];
        if (octets.Length > 0 && random.Next(200) == 0)
            octets = Repeat(octets, random);
        return Seal is not null && random.Next(10) > 0 ? Seal(octets) : octets;
    }

    /// <summary>
    /// Repeats a piece of the input very often, so that a reader whose effort grows faster than the input's length is noticed.
    /// </summary>
    private static byte[] Repeat(byte[] octets, Random random)
    {
        var from = random.Next(octets.Length);
        var piece = octets.AsSpan(from, Math.Min(octets.Length - from, 1 + random.Next(40)));
        var times = random.Next(MaxLength / piece.Length);
        var result = new byte[octets.Length + (times * piece.Length)];
        octets.AsSpan(0, from).CopyTo(result);
        for (var i = 0; i < times; i++)
            piece.CopyTo(result.AsSpan(from + (i * piece.Length)));
        octets.AsSpan(from).CopyTo(result.AsSpan(from + (times * piece.Length)));
        return result;
    }
}
