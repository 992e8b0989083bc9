using System.Globalization;
using System.Text;

namespace Imapsync.Servers.Tests.World;

/// <summary>The totals of all rounds, as docs/reliability.md shows them.</summary>
internal sealed class WorldTally
{
    private readonly Lock gate = new();
    private readonly SortedDictionary<string, int> events = new(StringComparer.Ordinal);
    private int rounds, runs, good, mail, lost, doubled, wronglyRemoved, untold, damaged;

    /// <returns>The number of rounds so far.</returns>
    public int AddRound()
    {
        lock (gate)
            return ++rounds;
    }

    public void AddMail(int count)
    {
        lock (gate)
            mail += count;
    }

    public void AddRun(bool isOk)
    {
        lock (gate)
        {
            runs++;
            good += isOk ? 1 : 0;
        }
    }

    public void Add(string name)
    {
        lock (gate)
            events[name] = events.GetValueOrDefault(name) + 1;
    }

    public void Add(WorldVerdict verdict)
    {
        lock (gate)
        {
            lost += verdict.Lost;
            doubled += verdict.Doubled;
            wronglyRemoved += verdict.WronglyRemoved;
            untold += verdict.Untold;
            damaged += verdict.Damaged;
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
            Row("runs, each compared", runs);
            Row("runs that said that all is in place", good);
            Row("messages", mail);
            foreach (var (name, count) in events)
                Row(name, count);
            Row("**lost**", lost);
            Row("**doubled**", doubled);
            Row("**wrongly removed**", wronglyRemoved);
            Row("**untold**", untold);
            Row("**other octets**", damaged);
        }

        return text.ToString();
    }
}
