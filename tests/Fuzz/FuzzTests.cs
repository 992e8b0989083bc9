using System.Text;
using Imapsync.Tests.Support;
using Xunit.Sdk;
using Xunit.v3;

[assembly: Parallelization(Mode = ParallelMode.None)]

namespace Imapsync.Fuzz.Tests;

/// <summary>
/// Fuzzes every reader of untrusted octets: it must return a result or throw a documented exception, in bounded memory.
/// These tests use a few inputs for each target; <c>tests/fuzz.sh</c> runs without end.
/// </summary>
public sealed class FuzzTests
{
    private const int Inputs = 2_000;
    private const int LongInputs = 100_000;

    public static TheoryData<string> Targets => [.. FuzzTargets.All.Select(t => t.Name)];

    [Theory]
    [MemberData(nameof(Targets))]
    public void Inputs_are_read_or_refused(string name)
    {
        var target = FuzzTargets.All.Single(t => t.Name == name);
        var seed = Seeds.Next();
        var inputs = Environment.GetEnvironmentVariable("IMAPSYNC_TESTS_LONG") == "1" ? LongInputs : Inputs;
        var found = Fuzzer.Run(target, (long)(inputs * Math.Min(1, target.Weight)), seed, OnHang, out _);
        Assert.True(found is null, found is null ? "" : $"seed {seed}, saved as {Fuzzer.Save(found, Path.GetDirectoryName(Fuzzer.CorpusOf(target))!)}: {Show(found)}");

        // A test can't fail while its thread hangs, so end the process with the reason.
        static void OnHang(Finding f) => Environment.FailFast($"{f.Target.Name} hangs: {Show(f)}");
    }

    [Theory]
    [MemberData(nameof(Targets))]
    public void Valid_inputs_and_earlier_finds_are_read(string name)
    {
        var target = FuzzTargets.All.Single(t => t.Name == name);
        var kept = Directory.Exists(Fuzzer.CorpusOf(target)) ? Directory.EnumerateFiles(Fuzzer.CorpusOf(target)).Select(File.ReadAllBytes) : [];
        foreach (var input in kept.Concat(target.Seeds))
            Assert.True(Fuzzer.Try(target, input, out _) is not { } found, Fuzzer.Try(target, input, out _) is { } f ? Show(f) : "");
    }

    [Fact]
    public void Every_saved_input_has_a_target()
    {
        var root = Path.Combine(AppContext.BaseDirectory, "Corpus");
        var folders = Directory.Exists(root) ? Directory.EnumerateDirectories(root).Select(d => Path.GetFileName(d)!) : [];
        Assert.Empty(folders.Except(FuzzTargets.All.Select(t => t.Name)));
    }

    [Fact]
    public void A_reader_that_fails_is_found_and_its_input_shrunk()
    {
        var target = new FuzzTarget("broken", octets => Assert.DoesNotContain((byte)'{', octets), FuzzTarget.Texts("some harmless text {in braces} and more of it"));
        var found = Fuzzer.Run(target, 1000, Seeds.Next(), _ => { }, out _);
        Assert.Equal("{"u8.ToArray(), found?.Input);
    }

    [Fact]
    public void A_reader_that_believes_a_length_is_found()
    {
        var target = new FuzzTarget("greedy", _ => GC.KeepAlive(new byte[64 << 20]), FuzzTarget.Texts("67108864"));
        Assert.Contains("octets were allocated", Fuzzer.Run(target, 1, Seeds.Next(), _ => { }, out _)?.Reason, StringComparison.Ordinal);
    }

    private static string Show(Finding finding) =>
        $"{Encoding.Latin1.GetString(finding.Input[..Math.Min(finding.Input.Length, 2000)])}\n{Convert.ToBase64String(finding.Input[..Math.Min(finding.Input.Length, 2000)])}\n{finding.Reason}";
}
