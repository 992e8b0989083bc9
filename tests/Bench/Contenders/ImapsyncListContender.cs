using System.Globalization;

namespace Imapsync.Bench.Contenders;

/// <summary>
/// This project's published program with one job file for many accounts. Each row of an account list becomes a job between the two servers.
/// The number of connections to each server is limited.
/// </summary>
/// <param name="directory">The directory for its job files.</param>
/// <param name="parallel">The number of jobs to run at once, and the maximum number of connections to each server.</param>
internal sealed record ImapsyncListContender(string program, string directory, int parallel) : IContender
{
    public string Name => "imapsync";

    public bool Can(Transfer transfer) => transfer is { Source: ImapPlace, Target: ImapPlace };

    public async Task<Measurement> RunAsync(IReadOnlyList<Transfer> transfers)
    {
        var (source, target) = ((ImapPlace)transfers[0].Source, (ImapPlace)transfers[0].Target);
        var list = $"accounts-{target.User}";
        await File.WriteAllLinesAsync(
            Path.Combine(directory, list + ".csv"), transfers.Select(t => $"{((ImapPlace)t.Source).User},{((ImapPlace)t.Target).User},{Path.GetFileName(t.StateDirectory)}").Prepend("user,new_user,state"));
        var file = Path.Combine(directory, list + ".yaml");
        await File.WriteAllTextAsync(file, string.Create(CultureInfo.InvariantCulture, $$"""
            jobs:
              - name: "{user}"
                for_each: {{list}}.csv
                state: "{{Path.GetDirectoryName(transfers[0].StateDirectory)}}/{state}"
                source: { url: "imap://{user}@127.0.0.1:{{source.Port}}", tls: none, password: {{source.Password}} }
                target: { url: "imap://{new_user}@127.0.0.1:{{target.Port}}", tls: none, password: {{target.Password}} }
            hosts:
              "127.0.0.1:{{source.Port}}": { connections: {{parallel}} }
              "127.0.0.1:{{target.Port}}": { connections: {{parallel}} }

            """));
        return await Measurement.OfProcessAsync(directory, program, "run", file, "--parallel", $"{parallel}");
    }
}
