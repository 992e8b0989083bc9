using System.Text;
using Imapsync.Tests.Support;

namespace Imapsync.Fuzz.Tests;

/// <summary>
/// A reader of octets that nobody here wrote. Deterministic: the same octets give the same result, so that a saved input
/// repeats what it did.
/// </summary>
/// <param name="Name">A word; the folder of its saved inputs is called so.</param>
/// <param name="Read">Reads one input. Catches what the reader documents; whatever it throws besides is a find.</param>
/// <param name="Seeds">Valid inputs, at least one.</param>
internal sealed record FuzzTarget(string Name, Action<byte[]> Read, IReadOnlyList<byte[]> Seeds)
{
    private const int MaxLength = 64 << 10;

    /// <summary>Words that mean something to this reader, besides those that do harm anywhere.</summary>
    public IReadOnlyList<byte[]> Words { get; init; } = [];

    /// <summary>Builds an input from the reader's own grammar; null where valid inputs damaged are all there is.</summary>
    public Func<Random, byte[]>? Grammar { get; init; }

    /// <summary>Puts checksums right, which no mutation would hit; null where there are none.</summary>
    public Func<byte[], byte[]>? Seal { get; init; }

    /// <summary>What reading may allocate besides: its buffers, whatever the input is.</summary>
    public long BaseBytes { get; init; } = 4 << 20;

    /// <summary>What reading may allocate for each octet of the input.</summary>
    public long BytesPerOctet { get; init; } = 1000;

    /// <summary>Its share of a run over all targets, and of CI's few inputs: less for what is slow.</summary>
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

    /// <summary>A piece so many times that work which grows faster than the input shows.</summary>
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
