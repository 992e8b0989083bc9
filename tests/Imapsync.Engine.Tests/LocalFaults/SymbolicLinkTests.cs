using Imapsync.Engine.Mail;
using Imapsync.Engine.State;
using Imapsync.Engine.Stores;
using Imapsync.Engine.Stores.Eml;
using Imapsync.Engine.Tests.Contracts;
using Imapsync.Engine.Tests.Copying;

namespace Imapsync.Engine.Tests.LocalFaults;

/// <summary>
/// Somebody put symbolic links into a target or a state directory. Nothing outside is read, written or removed through them. Only the
/// directory that the job names may itself be a link.
/// </summary>
public sealed class SymbolicLinkTests : IDisposable
{
    private const string Victim = "what the link points to";

    private readonly TemporaryDirectory inside = new();
    private readonly TemporaryDirectory outside = new();
    private readonly MailboxFixture box = new();

    public SymbolicLinkTests()
    {
        foreach (var name in (string[])["INBOX", "Work"])
        {
            for (var i = 0; i < 3; i++)
                box.Source.Folder(name).Add(MailboxFixture.Mail($"{name}.{i}"), i == 0 ? "" : "\\Seen $Key");
            box.Source.Folder(name).Subscribed = true;
        }
    }

    public void Dispose()
    {
        inside.Dispose();
        outside.Dispose();
        box.Dispose();
    }

    [Theory]
    [InlineData(".Work")]
    [InlineData(".Work/cur")]
    [InlineData(".Work/new")]
    [InlineData(".Work/tmp")]
    [InlineData(".Work/maildirfolder")]
    [InlineData(".Work/dovecot-uidlist")]
    [InlineData(".Work/dovecot-keywords")]
    [InlineData("subscriptions")]
    [InlineData("cur")]
    [InlineData("tmp")]
    public Task In_a_Maildir(string link) => LinkedAsync(new MaildirEndpoint(inside.Path), inside.Path, link);

    [Theory]
    [InlineData("Work")]
    [InlineData("INBOX")]
    [InlineData("Work.imapsync-index")]
    [InlineData("Work.imapsync-new")]
    [InlineData("Work.lock")]
    [InlineData(".subscriptions")]
    [InlineData(".subscriptions.imapsync-new")]
    public Task In_a_directory_of_mbox_files(string link) => LinkedAsync(new MboxEndpoint(inside.Path), inside.Path, link);

    [Theory]
    [InlineData("Work")]
    [InlineData("INBOX")]
    [InlineData(".imapsync-tmp")]
    [InlineData("Work/.imapsync-index")]
    [InlineData("Work/.imapsync-index.imapsync-new")]
    [InlineData(".subscriptions")]
    public Task In_a_directory_of_eml_files(string link) => LinkedAsync(new EmlEndpoint(inside.Path), inside.Path, link);

    [Theory]
    [InlineData("lock")]
    [InlineData("pairs")]
    [InlineData("summary")]
    [InlineData("summary.tmp")]
    [InlineData("pairs/INBOX")]
    [InlineData("verify")]
    public Task In_the_state_directory(string link) => LinkedAsync(null, box.StateDirectory, link);

    [Theory]
    [InlineData("maildir")]
    [InlineData("mbox")]
    [InlineData("eml")]
    public async Task The_place_that_the_job_names_may_be_a_link(string format)
    {
        var link = Path.Combine(inside.Path, "link");
        Directory.CreateSymbolicLink(link, outside.Path);
        var state = Path.Combine(inside.Path, "state");
        Directory.CreateSymbolicLink(state, Directory.CreateDirectory(Path.Combine(inside.Path, "elsewhere")).FullName);
        box.Job = box.Job with { Target = Endpoint(format, link), StateDirectory = state };
        box.OpenTarget = StoreRegistry.OpenTargetAsync;
        var report = await box.RunAsync();
        Assert.True(report.Outcome == Progress.JobOutcome.Ok, string.Join('\n', report.Problems));
        Assert.Equal(6, report.Totals.Copied);
        Assert.NotEmpty(Directory.GetFileSystemEntries(outside.Path));
    }

    private static Endpoint Endpoint(string format, string path) => format switch { "mbox" => new MboxEndpoint(path), "eml" => new EmlEndpoint(path), _ => new MaildirEndpoint(path) };

    /// <summary>
    /// Runs the job twice with a symbolic link under the given name: first put there before any run, then in place of a file or directory
    /// of a run.
    /// </summary>
    private async Task LinkedAsync(Endpoint? target, string root, string name)
    {
        if (target is not null)
        {
            box.Job = box.Job with { Target = target };
            box.OpenTarget = StoreRegistry.OpenTargetAsync;
        }

        await PutLinkAsync(root, name);
        AssertClear(await box.RunAsync());
        AssertUntouched(name);
        RemoveLink(root, name);
        Assert.Equal(Progress.JobOutcome.Ok, (await box.RunAsync()).Outcome);

        box.Source.Folder("Work").Add(MailboxFixture.Mail("later"), "Newkey");
        box.Source.Folder("Work").SetFlags(1, "\\Flagged");
        box.Source.Folder("Work").Subscribed = false;
        box.Source.Folder("INBOX").Add(MailboxFixture.Mail("later"));
        await PutLinkAsync(root, name);
        AssertClear(await box.RunAsync());
        AssertUntouched(name);
        RemoveLink(root, name);
        // The link may have replaced mail of the job, which is gone now and is copied again only by a run with --heal.
        var last = await box.RunAsync(heal: true);
        Assert.True(last.Outcome == Progress.JobOutcome.Ok, string.Join('\n', last.Problems));
    }

    /// <summary>Asserts that the run succeeded, or that its only problem names the symbolic link or the lock as the reason.</summary>
    private static void AssertClear(Progress.JobReport report)
    {
        if (report.Outcome != Progress.JobOutcome.Ok)
            Assert.Matches("symbolic link|is locked by another program", Assert.Single(report.Problems).Text);
    }

    private async Task PutLinkAsync(string root, string name)
    {
        var link = Find(root, name);
        if (Directory.Exists(link))
            Directory.Delete(link, recursive: true);
        Directory.CreateDirectory(Path.GetDirectoryName(link)!);
        File.Delete(link);
        foreach (var old in Directory.GetFileSystemEntries(outside.Path))
            File.Delete(old);
        if (IsDirectory(name))
        {
            Directory.CreateSymbolicLink(link, outside.Path);
            return;
        }

        var victim = Path.Combine(outside.Path, "victim");
        await File.WriteAllTextAsync(victim, Victim, TestContext.Current.CancellationToken);
        File.CreateSymbolicLink(link, victim);
    }

    private void AssertUntouched(string name)
    {
        if (IsDirectory(name))
            Assert.Empty(Directory.GetFileSystemEntries(outside.Path));
        else
            Assert.Equal(Victim, File.ReadAllText(Assert.Single(Directory.GetFiles(outside.Path))));
    }

    private static void RemoveLink(string root, string name)
    {
        var link = Find(root, name);
        if (new FileInfo(link).LinkTarget is not null)
            File.Delete(link);
    }

    private static bool IsDirectory(string name) => Path.GetFileName(name) is "cur" or "new" or "tmp" or ".Work" or "pairs";

    /// <summary>
    /// Returns the path that the link replaces. A journal (the record of a folder's copied messages) is searched for, because its name
    /// contains a digest.
    /// </summary>
    private static string Find(string root, string name)
    {
        var path = Path.Combine(root, name);
        return name != "pairs/INBOX" || !Directory.Exists(Path.Combine(root, "pairs"))
            ? path
            : Directory.GetFiles(Path.Combine(root, "pairs"), "INBOX-*.journal").FirstOrDefault(path);
    }
}
