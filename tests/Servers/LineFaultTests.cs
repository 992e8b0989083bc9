using Imapsync.Servers.Tests.Model;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests;

/// <summary>Every network fault, over TLS, at a random octet. The job ends by itself, and no message is lost or doubled.</summary>
public sealed class LineFaultTests(TlsLines lines) : IClassFixture<TlsLines>
{
    private static readonly FaultRules Good = new();

    private readonly int seed = Seeds.Next();

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public async Task Cut_with_RST(bool atSource, bool fromServer) =>
        await StrikeAsync(FaultKind.Reset, atSource, Cut(atSource, fromServer) with { MostFaults = 3 }, new HastyTime());

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public async Task Cut_with_FIN(bool atSource, bool fromServer) =>
        await StrikeAsync(FaultKind.Fin, atSource, Cut(atSource, fromServer) with { MostFaults = 3, CutWithFin = true }, new HastyTime());

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public async Task Stalled(bool atSource, bool fromServer)
    {
        var at = Place(atSource, fromServer);
        var rules = fromServer ? new FaultRules { StallAfterFromServer = at } : new FaultRules { StallAfterFromClient = at };
        await StrikeAsync(FaultKind.Stall, atSource, rules with { MostFaults = 1 }, new ModelTime());
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public async Task An_octet_changed_inside_a_TLS_record(bool atSource, bool fromServer)
    {
        var at = Place(atSource, fromServer);
        var rules = fromServer ? new FaultRules { CorruptAfterFromServer = at } : new FaultRules { CorruptAfterFromClient = at };
        await StrikeAsync(FaultKind.Corruption, atSource, rules with { MostFaults = 2 }, new HastyTime());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_octet_changed_in_the_TLS_handshake(bool fromServer)
    {
        var rules = fromServer ? new FaultRules { CorruptAfterFromServer = 200 } : new FaultRules { CorruptAfterFromClient = 50 };
        await StrikeAsync(FaultKind.Corruption, atSource: true, rules with { MostFaults = 1 }, new HastyTime());
    }

    [Fact]
    public async Task Split_into_single_octets() => await EndureAsync(new FaultRules { PieceBytes = 1 });

    [Fact]
    public async Task Delayed_each_way() => await EndureAsync(new FaultRules { Delay = TimeSpan.FromMilliseconds(10) });

    [Fact]
    public async Task Limited_in_throughput() => await EndureAsync(new FaultRules { BytesPerSecond = 400_000 });

    private async Task EndureAsync(FaultRules rules) =>
        Assert.Empty(await lines.SurviveAsync(rules, rules, TimeProvider.System, "a slow line"));

    private async Task StrikeAsync(FaultKind kind, bool atSource, FaultRules rules, TimeProvider time)
    {
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}: {rules}");
        var faults = await lines.SurviveAsync(atSource ? rules : Good, atSource ? Good : rules, time, $"seed {seed}, {rules}");
        Assert.Contains(kind, faults);
        Assert.All(faults, f => Assert.Equal(kind, f));
    }

    private FaultRules Cut(bool atSource, bool fromServer) => fromServer
        ? new FaultRules { CutAfterFromServer = Place(atSource, fromServer) }
        : new FaultRules { CutAfterFromClient = Place(atSource, fromServer) };

    /// <summary>
    /// Returns a random number of octets after which a fault occurs, between the TLS handshake and the end of the traffic. The range is
    /// wide in the direction that carries message bodies.
    /// </summary>
    private int Place(bool atSource, bool fromServer) => new Random(seed).Next(1500, atSource == fromServer ? lines.SourceBytes / 3 : 2500);
}
