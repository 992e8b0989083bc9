using Imapsync.CommandLine.Setup;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.CommandLine.Tests;

/// <summary>The folders that <c>imapsync init</c> proposes to leave out.</summary>
public sealed class FolderOverviewTests
{
    private static readonly string[] Others = ["INBOX", "Archive", "Spammers", "Junk mail/2026", "ab", "a", "Lists/dotnet"];

    [Theory]
    [InlineData("Junk", true)]
    [InlineData("[Gmail]/Spam", true)]
    [InlineData("**", false)]
    [InlineData("*", false)]
    [InlineData("??", false)]
    [InlineData("*Spam*", false)]
    [InlineData("Junk*/**", false)]
    [InlineData("INBOX", false)]
    public void Of_what_a_server_calls_spam_or_deleted_nothing_is_proposed_that_leaves_out_other_folders(string name, bool isProposed)
    {
        foreach (var use in new[] { SpecialFolder.Junk, SpecialFolder.Trash })
        {
            var folders = Others.Where(o => o != name).Select(o => new FolderEntry(Path(o))).Append(new FolderEntry(Path(name), Special: use));
            var proposal = new FolderOverview([.. folders.Select(f => new FolderLine(f, 1, 1))]).Proposal(null);
            Assert.Equal(isProposed ? [name] : [], proposal);
            Assert.DoesNotContain(Others, o => proposal.Any(g => new FolderGlob(g).Matches(Path(o))));
        }
    }

    private static FolderPath Path(string name) => new(name.Split('/'));
}
