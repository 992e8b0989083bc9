using System.Collections.Immutable;
using Imapsync.Engine.Copying;
using Imapsync.Engine.Folders;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Retrying;
using Imapsync.Engine.State;
using Imapsync.Engine.Stores.Imap;

namespace Imapsync.Engine.Tests.Stores.Imap;

public sealed class AccessTests
{
    [Theory]
    [InlineData("lrswipcda", false, "aeiklprstwx")]
    [InlineData("lrswipkxtecda", true, "aeiklprstwx")]
    [InlineData("lrscd", true, "eklrstx")]
    [InlineData("lrsktcd", true, "klrst")]
    public void Letters_are_read_as_the_newer_ones(string letters, bool isNewer, string expected) =>
        Assert.Equal(expected, AclRights.Read(letters, isNewer));

    [Theory]
    [InlineData("lrkxte", "kxte", "eklrtx", "")]
    [InlineData("lrkxte", null, "cdlr", "")]
    [InlineData("lrkt", null, "lr", "kt")]
    [InlineData("lr7n", "kxten", "lnr", "7")]
    [InlineData("lrx", "ket", "lr", "x")]
    public void Nobody_gets_more_than_they_had_and_what_is_lost_is_known(string rights, string? known, string expected, string lost) =>
        Assert.Equal((expected, lost), AclRights.Write(rights, known));

    [Fact]
    public async Task Rights_are_copied_under_the_targets_identifiers_and_the_owners_are_left_alone()
    {
        var source = new FolderServer { Capabilities = "IMAP4rev1 ACL RIGHTS=kxten" };
        source.Folders["Team"] = "";
        foreach (var (identifier, rights) in new[] { ("alice", "lrswipkxtecda"), ("bob", "lrswikx"), ("carol", "lr"), ("anyone", "lr"), ("-dave", "w"), ("nobody", "l"), ("eve", "lr") })
            source.Acl.Add(("Team", identifier, rights));
        var target = new FolderServer { Capabilities = "IMAP4rev1 ACL" };
        target.Folders["Team"] = "";
        target.Acl.Add(("Team", "anyone", "lrs"));

        var notes = await CopyAsync(source, target, new() { ["bob"] = "bob@example.org", ["eve"] = "" });
        Assert.Equal(
            ["SETACL \"Team\" \"bob@example.org\" \"+cilrsw\"", "SETACL \"Team\" \"carol\" \"+lr\"", "SETACL \"Team\" \"-dave\" \"+w\"", "SETACL \"Team\" \"nobody\" \"+l\""],
            target.Commands.Where(c => c.StartsWith("SETACL", StringComparison.Ordinal)).Select(c => "SETACL " + string.Join(' ', c.Split(' ')[1..].Select(w => $"\"{w.Trim('"')}\""))));
        Assert.Contains("no such user", Assert.Single(notes), StringComparison.Ordinal);
        Assert.DoesNotContain(source.Commands, c => c.StartsWith("SETACL", StringComparison.Ordinal));

        target.Acl.RemoveAll(a => a.Identifier == "nobody");
        source.Acl.RemoveAll(a => a.Identifier == "nobody");
        for (var i = 0; i < target.Acl.Count; i++)
            target.Acl[i] = target.Acl[i] with { Rights = target.Acl[i].Rights.TrimStart('+') };
        target.Commands.Clear();
        Assert.Empty(await CopyAsync(source, target, new() { ["bob"] = "bob@example.org", ["eve"] = "" }));
        Assert.DoesNotContain(target.Commands, c => c.StartsWith("SETACL", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Without_access_rights_on_one_side_a_note_says_so_once()
    {
        var notes = await CopyAsync(new FolderServer { Capabilities = "IMAP4rev1 ACL" }, new FolderServer(), []);
        Assert.Contains("the target has none", Assert.Single(notes), StringComparison.Ordinal);
    }

    private static async Task<IReadOnlyList<string>> CopyAsync(FolderServer from, FolderServer to, Dictionary<string, string> map)
    {
        var endpoint = new ImapEndpoint("mail.example.org", 143, TlsMode.None, "alice");
        var job = new JobDefinition("job", endpoint, endpoint) { StateDirectory = "/none", Acl = AclPolicy.Copy, AclMap = map.ToImmutableDictionary() };
        await using var source = await from.OpenAsync();
        await using var target = await to.OpenAsync();
        var reporter = new JobReporter("job", TimeProvider.System, _ => { });
        ICheckpointStore none = null!;
        var context = new JobContext(job, new RunOptions(), source, target, none, reporter, new RetryPipeline(job.Retry, TimeProvider.System, reporter, (_, _) => { }), TimeProvider.System, CancellationToken.None)
        {
            State = null!,
            OpenState = null!,
        };
        var access = new AccessCopy(context);
        foreach (var path in (string[])["INBOX", "Team"])
            await access.CopyAsync(new FolderPair(new FolderEntry(new FolderPath(path)), new FolderPath(path)), TestContext.Current.CancellationToken);
        return [.. reporter.Finish(JobOutcome.Ok, StopReason.None, false).Notes];
    }
}
