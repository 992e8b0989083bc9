using Imapsync.Bench.Cases;

namespace Imapsync.Bench;

/// <summary>Runs cases one after another and prints their results.</summary>
internal static class BenchRun
{
    /// <returns>The exit status: 1 if a case had no result.</returns>
    public static async Task<int> RunAsync(BenchOptions options, IReadOnlyCollection<string> names)
    {
        var results = new List<CaseResult>();
        var failed = 0;
        Tables.PrintHead();
        foreach (var wanted in AllCases.List.Where(c => names.Count == 0 || names.Contains(c.Name)))
        {
            await Console.Error.WriteLineAsync($"{wanted.Name}: {wanted.What}");
            try
            {
                var result = await wanted.MeasureAsync(options);
                results.Add(result);
                Tables.PrintRows(result);
            }
            catch (InvalidOperationException e)
            {
                failed++;
                await Console.Error.WriteLineAsync($"{wanted.Name}: no result: {e.Message}");
            }
        }

        Tables.PrintNotes(results);
        if (options.JsonFile is { } file)
            await Tables.WriteJsonAsync(file, results);
        return failed == 0 ? 0 : 1;
    }
}
