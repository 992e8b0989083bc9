using System.Globalization;

namespace Imapsync.Fuzz.Tests;

/// <summary>The command line <c>fuzz [TARGET…] [--inputs N] [--seed N] [--corpus DIR]</c>.</summary>
internal static class FuzzCommand
{
    private const long Round = 20_000;

    public static int Run(string[] arguments)
    {
        var names = new List<string>();
        long left = long.MaxValue;
        var seed = Random.Shared.Next();
        var corpus = Path.Combine(AppContext.BaseDirectory, "Corpus");
        for (var i = 0; i < arguments.Length; i++)
        {
            switch (arguments[i])
            {
                case "--inputs":
                    left = long.Parse(arguments[++i], NumberStyles.AllowThousands, CultureInfo.InvariantCulture);
                    break;
                case "--seed":
                    seed = int.Parse(arguments[++i], CultureInfo.InvariantCulture);
                    break;
                case "--corpus":
                    corpus = arguments[++i];
                    break;
                default:
                    names.Add(arguments[i]);
                    break;
            }
        }

        var targets = FuzzTargets.All.Where(t => names.Count == 0 || names.Contains(t.Name)).ToList();
        if (targets.Count == 0 || names.Except(targets.Select(t => t.Name)).Any())
        {
            Console.Error.WriteLine($"targets: {string.Join(' ', FuzzTargets.All.Select(t => t.Name))}");
            return 2;
        }

        return Run(targets, left, seed, corpus);
    }

    /// <summary>Runs rounds of all targets in turn until the inputs are used up. A finding is saved, and the run continues with the next target.</summary>
    private static int Run(List<FuzzTarget> targets, long inputs, int seed, string corpus)
    {
        Console.WriteLine($"seed {seed}; {(inputs == long.MaxValue ? "until stopped" : $"{inputs:N0} inputs")}; finds go to {corpus}");
        var share = inputs == long.MaxValue ? double.MaxValue : inputs / targets.Sum(t => t.Weight);
        var total = targets.ToDictionary(t => t, t => new FuzzFigures(t, 0, 0, TimeSpan.Zero, TimeSpan.Zero));
        var finds = 0;
        for (var round = 0; targets.Any(t => total[t].Inputs < Math.Ceiling(share * t.Weight)); round++)
        {
            foreach (var target in targets)
            {
                var had = total[target];
                var count = (long)Math.Min(Round * target.Weight, Math.Ceiling(share * target.Weight) - had.Inputs);
                if (count <= 0)
                    continue;
                if (Fuzzer.Run(target, count, unchecked(seed + (round * 7919)), OnHang, out var figures) is { } found)
                    Tell(found, ref finds);
                total[target] = new FuzzFigures(
                    target, had.Inputs + figures.Inputs, Math.Max(had.MostBytes, figures.MostBytes),
                    had.Slowest > figures.Slowest ? had.Slowest : figures.Slowest, had.Took + figures.Took);
            }

            if (inputs == long.MaxValue)
                Console.WriteLine($"{total.Values.Sum(f => f.Inputs):N0} inputs, {finds} finds");
        }

        foreach (var f in total.Values)
            Console.WriteLine($"| {f.Target.Name} | {f.Inputs:N0} | {f.MostBytes / 1024:N0} | {f.Slowest.TotalMilliseconds:N0} | {f.Took.TotalSeconds:N1} |");
        using var self = System.Diagnostics.Process.GetCurrentProcess();
        Console.WriteLine($"{total.Values.Sum(f => f.Inputs):N0} inputs, {finds} finds, peak {self.PeakWorkingSet64 >> 20:N0} MiB");
        return finds == 0 ? 0 : 1;

        void Tell(Finding found, ref int count)
        {
            count++;
            Console.WriteLine($"{found.Target.Name}: {Fuzzer.Save(found, corpus)}\n{found.Reason}");
        }

        // A hanging thread can't be stopped, so save the finding and exit.
        void OnHang(Finding found)
        {
            Tell(found, ref finds);
            Environment.Exit(1);
        }
    }
}
