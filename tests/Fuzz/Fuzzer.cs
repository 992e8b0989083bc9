using System.Diagnostics;
using System.Security.Cryptography;
using Imapsync.Tests.Support;

namespace Imapsync.Fuzz.Tests;

/// <summary>A failure of a target on one input.</summary>
/// <param name="Reason">The exception, or the limit that was exceeded.</param>
internal sealed record Finding(FuzzTarget Target, byte[] Input, string Reason);

/// <summary>Statistics of a run over one target.</summary>
/// <param name="MostBytes">The most octets allocated for one input.</param>
/// <param name="Slowest">The wall time of the slowest input; only reported, never a failure.</param>
internal sealed record FuzzFigures(FuzzTarget Target, long Inputs, long MostBytes, TimeSpan Slowest, TimeSpan Took);

/// <summary>Passes a target one input after another, generated from a seed, and stops at the first finding.</summary>
internal static class Fuzzer
{
    /// <summary>The time after which reading counts as hanging. It is generous, since on a loaded machine the slowest valid input takes a second.</summary>
    private static readonly TimeSpan Hang = TimeSpan.FromMinutes(2);

    private const int MaxShrinkTries = 2_000;
    private static readonly TimeSpan ShrinkTime = TimeSpan.FromSeconds(30);

    /// <summary>
    /// The folder with the inputs of earlier findings, which the tests read again. The input of a new finding should be added to the
    /// repository.
    /// </summary>
    public static string CorpusOf(FuzzTarget target) => Path.Combine(AppContext.BaseDirectory, "Corpus", target.Name);

    /// <param name="onHang">Called from another thread with an input that is still being read after two minutes.</param>
    /// <returns>A finding with its input shrunk; null if there is none.</returns>
    public static Finding? Run(FuzzTarget target, long inputs, int seed, Action<Finding> onHang, out FuzzFigures figures)
    {
        var random = new Random(seed);
        var (current, started, most, slowest) = (Array.Empty<byte>(), Stopwatch.GetTimestamp(), 0L, TimeSpan.Zero);
        using var watch = new Timer(_ =>
        {
            if (Stopwatch.GetElapsedTime(Volatile.Read(ref started)) > Hang)
                onHang(new Finding(target, current, $"still being read after {Hang}"));
        }, null, Hang / 8, Hang / 8);
        var began = started;
        Finding? found = null;
        long done = 0;
        for (; done < inputs && found is null; done++)
        {
            current = target.Make(random);
            var start = Stopwatch.GetTimestamp();
            Volatile.Write(ref started, start);
            found = Try(target, current, out var bytes);
            most = Math.Max(most, bytes);
            var took = Stopwatch.GetElapsedTime(start);
            slowest = took > slowest ? took : slowest;
        }

        Volatile.Write(ref started, long.MaxValue);
        figures = new FuzzFigures(target, done, most, slowest, Stopwatch.GetElapsedTime(began));
        return found is null ? null : Shrink(found);
    }

    /// <summary>Reads one input and checks for exceptions and for the memory allocated.</summary>
    public static Finding? Try(FuzzTarget target, byte[] input, out long bytes)
    {
        var before = GC.GetTotalAllocatedBytes();
        try
        {
            target.Read(input);
        }
        catch (Exception e)
        {
            bytes = 0;
            return new Finding(target, input, e.ToString());
        }

        bytes = GC.GetTotalAllocatedBytes() - before;
        var allowed = target.BaseBytes + (target.BytesPerOctet * input.Length);
        return bytes <= allowed ? null : new Finding(target, input, $"{bytes} octets were allocated for an input of {input.Length}, {allowed} are allowed");
    }

    /// <summary>Saves an input under its digest, so that the same finding always has the same file.</summary>
    public static string Save(Finding finding, string corpus)
    {
        var directory = Directory.CreateDirectory(Path.Combine(corpus, finding.Target.Name)).FullName;
        var path = Path.Combine(directory, Convert.ToHexStringLower(SHA256.HashData(finding.Input))[..16] + ".input");
        File.WriteAllBytes(path, finding.Input);
        return path;
    }

    /// <summary>Removes smaller and smaller pieces of the input as long as the first line of the reason stays the same.</summary>
    private static Finding Shrink(Finding finding)
    {
        // Stop after half a minute, because an input that is slow to read is useful at full length too.
        var began = Stopwatch.GetTimestamp();
        var tries = MaxShrinkTries;
        for (var piece = finding.Input.Length / 2; piece > 0 && tries > 0; piece /= 2)
        {
            for (var at = 0; at + piece <= finding.Input.Length && tries-- > 0 && Stopwatch.GetElapsedTime(began) < ShrinkTime;)
            {
                byte[] shorter = [.. finding.Input[..at], .. finding.Input[(at + piece)..]];
                if (Try(finding.Target, finding.Target.Seal?.Invoke(shorter) ?? shorter, out _) is { } still && KindOf(still) == KindOf(finding))
                    finding = still with { Input = finding.Target.Seal?.Invoke(shorter) ?? shorter };
                else
                    at += piece;
                if (finding.Input.Length < piece)
                    break;
            }
        }

        return finding;
    }

    private static string KindOf(Finding finding) => new([.. finding.Reason.TakeWhile(c => c is not ('\n' or ':')).Where(c => !char.IsAsciiDigit(c))]);
}
