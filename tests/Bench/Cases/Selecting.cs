namespace Imapsync.Bench.Cases;

/// <summary>A job that chooses by headers and copies none: what reading the headers costs, and what a night costs after that.</summary>
internal static class Selecting
{
    public static async Task ByHeaderAsync(BenchLab lab, CaseResult result)
    {
        var source = await lab.ServeAsync(FirstCopies.Ordinary(lab));
        for (var round = 0; round < lab.Options.Runs; round++)
        {
            var job = lab[$"select-{round}.yaml"];
            await File.WriteAllTextAsync(job,
                $"jobs: [{{ name: alice, source: {{ url: 'imap://alice@127.0.0.1:{source.Port}', tls: none, password: pass }}, target: {{ url: 'maildir:{lab[$"selected-{round}"]}' }}, "
                + $"messages: {{ subject: [nobody wrote this] }}, state: '{lab[$"select-state-{round}"]}' }}]\n");
            File.SetUnixFileMode(job, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            result.Add("first run", await RunAsync());
            result.Add("second run", await RunAsync());

            Task<Measurement> RunAsync() => Measurement.OfProcessAsync(lab[""], lab.Options.Program, "run", job);
        }
    }
}
