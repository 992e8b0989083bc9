using System.Globalization;
using System.Text.Json;

namespace Imapsync.Bench;

/// <summary>Prints results as Markdown and writes them as JSON.</summary>
internal static class Tables
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    public static void PrintHead()
    {
        Console.WriteLine("| case | program | median s | best s | CPU s | peak MiB | against mbsync | against the floor |");
        Console.WriteLine("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |");
    }

    public static void PrintRows(CaseResult result)
    {
        foreach (var contender in result.Runs.Keys)
            Console.WriteLine(Row(result, contender));
    }

    public static void PrintNotes(IReadOnlyCollection<CaseResult> results)
    {
        foreach (var result in results.Where(r => r.Faithfulness.Count > 0))
        {
            Console.WriteLine("\n| case | program | messages | altered | lost |\n| --- | --- | ---: | ---: | ---: |");
            foreach (var row in result.Faithfulness)
                Console.WriteLine($"| {result.Name} | {row.Contender} | {row.Messages} | {row.Altered} | {row.Lost} |");
            foreach (var row in result.Faithfulness.Where(f => f.Names.Count > 0))
                Console.WriteLine($"\n{row.Contender}: {string.Join("; ", row.Names)}");
        }

        foreach (var result in results)
        {
            foreach (var note in result.Notes)
                Console.WriteLine($"\n{result.Name}: {note}");
        }
    }

    public static Task WriteJsonAsync(string file, IEnumerable<CaseResult> results) => File.WriteAllTextAsync(file, JsonSerializer.Serialize(
        results.Select(r => new
        {
            @case = r.Name,
            notes = r.Notes,
            faithfulness = r.Faithfulness.Select(f => new { program = f.Contender, messages = f.Messages, altered = f.Altered, lost = f.Lost, which = f.Names }),
            programs = r.Runs.Select(p => new
            {
                program = p.Key,
                runs = p.Value.Select(m => new { wall_seconds = m.WallSeconds, cpu_seconds = m.CpuSeconds, peak_mib = m.PeakMiB }),
            }),
        }),
        Indented));

    private static string Row(CaseResult result, string contender)
    {
        var wall = result.Median(contender, m => m.WallSeconds);
        var isOwn = contender == CaseResult.FloorName;
        return string.Join(
            " | ",
            $"| {result.Name}",
            contender,
            Number(wall, "0.00"),
            Number(result.Minimum(contender), "0.00"),
            isOwn ? "" : Number(result.Median(contender, m => m.CpuSeconds), "0.00"),
            isOwn ? "" : Number(result.Median(contender, m => m.PeakMiB), "0"),
            contender == "mbsync" ? "" : Number(result.Median("mbsync", m => m.WallSeconds) / wall, "0.00'× as fast'"),
            isOwn ? "" : Number(wall / result.Median(CaseResult.FloorName, m => m.WallSeconds), "0.00'× the time'")) + " |";
    }

    private static string Number(double value, string format) => double.IsFinite(value) ? value.ToString(format, CultureInfo.InvariantCulture) : "";
}
