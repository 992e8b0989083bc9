using System.Globalization;
using System.Text;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests.Model;

/// <summary>The totals of all rounds, as docs/reliability.md shows them.</summary>
internal sealed class ModelTally
{
    private readonly Lock gate = new();
    private readonly SortedDictionary<string, int> faults = new(StringComparer.Ordinal);
    private int rounds, runs, good, compared, messages, lost, doubled, changed, hung;
    private long copied;

    /// <returns>The number of rounds so far.</returns>
    public int AddRound()
    {
        lock (gate)
            return ++rounds;
    }

    public void AddHung()
    {
        lock (gate)
            hung++;
    }

    public void AddMessages(int count)
    {
        lock (gate)
            messages += count;
    }

    public void AddRun(RunEnd end)
    {
        lock (gate)
        {
            runs++;
            good += end.WasOk ? 1 : 0;
            copied += end.Counts?.Copied ?? 0;
        }
    }

    public void AddVerdict(TargetVerdict verdict)
    {
        lock (gate)
        {
            compared++;
            lost += verdict.Lost;
            doubled += verdict.Doubled;
            changed += verdict.Changed;
        }
    }

    public void AddEnd(string name) => Add(name switch
    {
        "kill -9" => "process killed (kill -9)",
        "abort" => "run broken off at once",
        _ => "run asked to stop",
    });

    public void AddFaults(string manner, IEnumerable<FaultKind> kinds)
    {
        if (manner != "good")
            Add($"line {manner}");
        foreach (var kind in kinds)
        {
            Add(kind switch
            {
                FaultKind.Reset => "connection cut (RST)",
                FaultKind.Fin => "connection cut (FIN)",
                FaultKind.LostReply => "connection cut before the reply to APPEND",
                FaultKind.Stall => "connection stalled",
                _ => "octet changed in a TLS record",
            });
        }
    }

    /// <summary>The totals as a Markdown table.</summary>
    public override string ToString()
    {
        var text = new StringBuilder("| | |\n| --- | ---: |\n");
        void Row(string name, long value) => text.Append(CultureInfo.InvariantCulture, $"| {name} | {value:N0} |\n");
        lock (gate)
        {
            Row("rounds", rounds);
            Row("runs", runs);
            Row("runs that ended well", good);
            Row("comparisons of the target with the model", compared);
            Row("messages delivered to sources", messages);
            Row("messages copied (processes not counted)", copied);
            foreach (var (name, count) in faults)
                Row("fault: " + name, count);
            Row("**lost**", lost);
            Row("**doubled**", doubled);
            Row("**other octets, flags, keywords, date or folder**", changed);
            Row("**hung**", hung);
        }

        return text.ToString();
    }

    private void Add(string fault)
    {
        lock (gate)
            faults[fault] = faults.GetValueOrDefault(fault) + 1;
    }
}
