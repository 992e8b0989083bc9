using System.Security.Cryptography;
using Imapsync.Engine.Mail;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests;

/// <summary>
/// Moves mail from Dovecot to another server and back. Refused messages must be reported with the server's text. Apart from the server's
/// known changes, everything else must come back unchanged. Skipped where the server can't be installed.
/// </summary>
public sealed class OtherServersTests
{
    [Theory]
    [InlineData("")]
    [InlineData("unixhierarchysep: no\naltnamespace: no")]
    public async Task To_Cyrus_and_back(string naming)
    {
        await NeedsAsync("cyrus");
        await using var job = await JobAsync("brackets*", "percent*", "quote*");
        // Without this setting Cyrus replaces every 8-bit octet of a header by an X.
        await using var server = await CyrusServer.StartAsync(job.Dir["cyrus"], "munge8bit: no\n" + naming);

        var refused = await ThereAndBackAsync(job, server, octets => octets);

        Assert.Equal(["NO Message contains invalid header"], refused.Distinct());
        Assert.Single(refused);
    }

    [Fact]
    public async Task To_Courier_and_back()
    {
        await NeedsAsync("courier");
        await using var job = await JobAsync("mail*box");
        await using var server = await CourierServer.StartAsync(job.Dir["courier"]);

        var refused = await ThereAndBackAsync(job, server, WithoutBareCr);

        Assert.Empty(refused);
    }

    [Fact]
    public async Task Keywords_beyond_the_hundred_that_a_Cyrus_folder_holds_are_told_and_cost_no_message()
    {
        await NeedsAsync("cyrus");
        await using var job = await BackupLab.StartAsync(_ => { });
        await using (var probe = await job.ConnectAsync())
        {
            for (var i = 0; i < 110; i++)
                await probe.AppendAsync("INBOX", MailGenerator.Message(i), $"\\Seen keyword{i}", MailGenerator.Date(i));
        }

        await using var server = await CyrusServer.StartAsync(job.Dir["cyrus"]);
        await using var there = MigrationLab.To(job, server.Port, "bob", UnpackedServer.Password);
        var first = await there.RunAsync();

        Assert.True(first.Total("copied") == 110, first.ToString());
        await using var target = await ImapProbe.ConnectAsync(server.Port, "bob", UnpackedServer.Password);
        var messages = (await target.FetchAsync("INBOX")).Select(m => m.Message).ToList();
        Assert.Equal(110, messages.Count);
        Assert.All(messages, m => Assert.Contains("\\Seen", m.Flags, StringComparison.Ordinal));
        Assert.Equal(100, messages.Count(m => m.Flags.Contains("keyword", StringComparison.Ordinal)));
        Assert.Contains("keyword109", first.Everything, StringComparison.Ordinal);

        var second = await there.RunAsync();
        Assert.Equal(0, second.Total("copied"));
    }

    private static async Task NeedsAsync(string server)
    {
        var reason = await UnpackedServer.WhyNotAsync(server);
        Assert.SkipWhen(reason is not null, reason ?? "");
    }

    private static async Task<BackupLab> JobAsync(params string[] excluded)
    {
        var job = await BackupLab.StartAsync(new MailboxPlan { Messages = 150, AwkwardNames = true, AwkwardMessages = true });
        job.Rules = $"folders: {{ exclude: [{string.Join(", ", excluded.Select(e => $"\"{e}\""))}] }}";
        return job;
    }

    /// <returns>The server's reply for each message it refused.</returns>
    private static async Task<List<string>> ThereAndBackAsync(BackupLab job, UnpackedServer server, Func<byte[], byte[]> change)
    {
        await using var there = MigrationLab.To(job, server.Port, "bob", UnpackedServer.Password);
        var first = await there.RunAsync();
        first.AddsUp();
        var refused = first.Job.GetProperty("problems").EnumerateArray()
            .Select(p => (Folder: p.GetProperty("folder").GetString()!, Uid: p.GetProperty("uid").GetUInt32(), Text: p.GetProperty("text").GetString()!))
            .ToList();
        Assert.True(first.Status == (refused.Count > 0 ? 3 : 0), first.ToString());
        Assert.Equal(refused.Count, first.Total("failed"));

        var second = await there.RunAsync();
        Assert.True(second.Status == first.Status && second.Total("copied") == 0, second.ToString());

        var way = BackupLab.On(job.Server);
        way.Endpoint = "url: " + there.TargetEndpoint.Replace(MigrationLab.TargetPasswordVariable, "MIDDLE_PASSWORD", StringComparison.Ordinal);
        way.Environment["MIDDLE_PASSWORD"] = UnpackedServer.Password;
        await using var back = await MigrationLab.WithDovecotAsync(way);
        await back.SucceedAsync();

        var expected = await ExpectedAsync(job, refused.Select(r => (r.Folder, r.Uid)).ToHashSet(), change);
        // Cyrus also creates the mailboxes above a mailbox, so additional empty folders are ignored.
        BackupLab.Same(expected, (await back.TargetAsync()).Select((name, f) => f.Messages.Count > 0 || expected.Folders.ContainsKey(name) ? f : null));
        return [.. refused.Select(r => r.Text[(r.Text.IndexOf(": ", StringComparison.Ordinal) + 2)..])];
    }

    /// <summary>Returns the source's mail as the other server changes it, without the excluded and refused messages.</summary>
    private static async Task<MailboxSnapshot> ExpectedAsync(BackupLab job, HashSet<(string Folder, uint Uid)> refused, Func<byte[], byte[]> change)
    {
        var changed = AwkwardMail.Messages().Select(m => MaildirReader.WithCrLf(m.Octets).ToArray())
            .DistinctBy(Digest).ToDictionary(Digest, octets => change(octets));
        var skipped = System.Text.RegularExpressions.Regex.Matches(job.Rules, "\"(\\w+)\\*").Select(m => m.Groups[1].Value).ToList();
        var expected = new MailboxSnapshot();
        await using var probe = await job.ConnectAsync();
        foreach (var (name, subscribed) in await probe.ListAsync())
        {
            if (skipped.Exists(s => name.StartsWith(s, StringComparison.Ordinal)))
                continue;
            var messages = (await probe.FetchAsync(name)).Where(m => !refused.Contains((name, m.Uid))).Select(m => m.Message);
            expected.Add(name, subscribed, messages.Select(m => changed.TryGetValue(m.Digest, out var octets)
                ? m with { Digest = Digest(octets), Length = octets.Length }
                : m));
        }

        return expected;
    }

    /// <summary>A message as Courier stores it: without CRs that end no line, and with a line end after the last line.</summary>
    private static byte[] WithoutBareCr(byte[] octets)
    {
        List<byte> kept = [];
        for (var i = 0; i < octets.Length; i++)
        {
            if (octets[i] != '\r' || (i + 1 < octets.Length && octets[i + 1] == '\n'))
                kept.Add(octets[i]);
        }

        return kept is [.., (byte)'\n'] ? [.. kept] : [.. kept, (byte)'\r', (byte)'\n'];
    }

    private static string Digest(byte[] octets) => Convert.ToHexStringLower(SHA256.HashData(octets));
}
