using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Watching;

namespace Imapsync.Engine.Tests.Watching;

public sealed class WatchPlanTests
{
    [Theory]
    [InlineData(4, 0, 1)]
    [InlineData(4, 2, 3)]
    [InlineData(2, 5, 1)]
    [InlineData(1, 0, 0)]
    public void An_account_keeps_a_connection_for_runs(int connections, int folders, int listeners) =>
        Assert.Equal(listeners, Assert.Single(WatchPlan.Of([Job("alice", Account("a", connections), new MaildirEndpoint("/t"), folders)])).Listeners);

    [Fact]
    public void A_source_without_connections_is_not_listened_to() =>
        Assert.Equal(0, Assert.Single(WatchPlan.Of([Job("alice", new MaildirEndpoint("/s"), Account("b"))])).Listeners);

    /// <summary>
    /// For any jobs and limits, the connections that listen for changes leave enough of each host's connections for a run of any one job.
    /// </summary>
    [Fact]
    public void A_host_keeps_connections_for_runs()
    {
        var random = new Random(7);
        for (var round = 0; round < 2000; round++)
        {
            var limits = new Dictionary<string, int> { ["a"] = random.Next(1, 8), ["b"] = random.Next(2, 8) };
            List<JobDefinition> jobs = [.. Enumerable.Range(0, random.Next(1, 8)).Select(i => Job($"{i}", Limited(), random.Next(3) == 0 ? new MaildirEndpoint("/t") : Limited(), random.Next(3)))];
            var plans = WatchPlan.Of(jobs);
            foreach (var (host, limit) in limits)
            {
                var needed = jobs.Max(j => new[] { j.Source, j.Target }.OfType<ServerEndpoint>().Count(e => e.Host == host));
                var listeners = plans.Where(p => ((ServerEndpoint)p.Job.Source).Host == host).Sum(p => p.Listeners);
                Assert.True(listeners == 0 || listeners + needed <= limit, $"round {round}: {listeners} + {needed} of {limit}");
                foreach (var endpoint in plans.SelectMany(p => new[] { p.Job.Source, p.Job.Target }).OfType<ServerEndpoint>().Where(e => e.Host == host))
                    Assert.Equal(limit - listeners, endpoint.HostLimits!.Connections);
            }

            ServerEndpoint Limited()
            {
                var host = random.Next(2) == 0 ? "a" : "b";
                return Account(host, random.Next(1, 6)) with { HostLimits = new HostLimits(host) { Connections = limits[host] } };
            }
        }
    }

    [Fact]
    public void Folders_are_listened_to_in_the_order_they_are_wanted_in()
    {
        FolderEntry[] listed = [Folder("Archive", 9), Folder("INBOX", 1), Folder("Junk", 5), Folder("Lists/a", 2), Folder("Lists/b", 3)];
        var job = Job("alice", Account("a"), new MaildirEndpoint("/t")) with { Folders = new FolderRules { Exclude = ["Junk"] } };
        Assert.Equal(["INBOX"], Wanted(job));
        Assert.Equal(["Archive"], Wanted(job with { Folders = new FolderRules { Exclude = ["Junk", "INBOX"] } }));
        Assert.Equal(["Lists/a", "Lists/b", "INBOX", "Archive"], Wanted(job with { Watch = new WatchSettings { Folders = ["Lists/*", "INBOX", "**"] } }));
        Assert.Empty(Wanted(job with { Watch = new WatchSettings { Folders = ["Junk"] } }));
        Assert.Equal(["Junk"], WatchedFolders.Choose(job, listed).Ignored.Select(p => p.ToString()));
        // Changes in All Mail must not be ignored even if the job excludes it, because Gmail reports changed labels there.
        Assert.Empty(WatchedFolders.Choose(job with { Labels = LabelPolicy.Folders }, listed).Ignored);

        IEnumerable<string> Wanted(JobDefinition of) => WatchedFolders.Choose(of, listed).Wanted.Select(p => p.ToString());
    }

    private static FolderEntry Folder(string name, int messages)
    {
        Assert.True(FolderPath.TryParse(name, out var path));
        return new FolderEntry(path) { Status = new FolderStatus(default, default, messages) };
    }

    private static ImapEndpoint Account(string host, int connections = 4) => new(host, 993, TlsMode.Implicit, "alice") { Connections = connections };

    private static JobDefinition Job(string name, Endpoint source, Endpoint target, int folders = 0) => new(name, source, target)
    {
        StateDirectory = "/nowhere/" + name,
        Watch = new WatchSettings { Folders = [.. Enumerable.Range(0, folders).Select(i => $"f{i}")] },
    };
}
