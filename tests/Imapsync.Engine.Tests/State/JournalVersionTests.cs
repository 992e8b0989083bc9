using System.Text;
using Imapsync.Engine.Mail;
using Imapsync.Engine.State;
using Imapsync.Imap;

namespace Imapsync.Engine.Tests.State;

public sealed class JournalVersionTests : IDisposable
{
    /// <summary>A journal in format version 1, which recorded no checksums of messages.</summary>
    private const string FirstVersion = """
        imapsync-journal 1 6bf72d85
        pair Lists/a%20b Lists/a%20b 43ca7d0a
        reset 1700000001 1700000002 5ad1 6a4c5b0f
        uidnext 4711 fa1b7456
        commit 2b9ee7b9
        flags 1 \Seen $Label1 6b4f45ab
        c 101 4711 1 0095672c
        c 102 4712 0 89972e0e
        uidnext 4713 2e5b5f13
        commit e73b9fe3

        """;

    /// <summary>A journal in format version 2, which did not mark moves to the trash folder.</summary>
    private const string SecondVersion = """
        imapsync-journal 2 78a7de71
        pair Lists/a%20b Lists/a%20b 5e4a5694
        reset 1700000001 1700000002 5ad1 36ca732a
        uidnext 4711 23a65a70
        commit 14890b21
        flags 1 \Seen $Label1 35d399cd
        c 101 4711 1 5320 1a2b3c4d 998edeea
        c 102 4712 0 811 00f1e2d3 8ad27fa5
        uidnext 4713 7d62fae8
        commit 01826677

        """;

    /// <summary>A journal in format version 3, which could not mark messages whose copies are damaged.</summary>
    private const string ThirdVersion = """
        imapsync-journal 3 8acc5d72
        pair Lists/a%20b Lists/a%20b a9919db1
        reset 1700000001 1700000002 5ad1 fe13b966
        uidnext 4711 9796923d
        commit 018450a9
        flags 1 \Seen $Label1 fcfc0040
        c 101 4711 1 5320 1a2b3c4d 1b1661f0
        c 102 4712 0 811 00f1e2d3 e4260d10
        uidnext 4713 9247583a
        commit 9dc37c06

        """;

    private static readonly PairKey Pair = new(FolderPath.Parse("Lists/a b"), FolderPath.Parse("Lists/a b"));
    private readonly StateFolder folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(FirstVersion, false)]
    [InlineData(SecondVersion, true)]
    [InlineData(ThirdVersion, true)]
    public async Task A_journal_of_an_older_version_is_read_and_goes_on_as_version_4(string text, bool hasChecksums)
    {
        await WriteAsync(text);
        var checksum = new MessageChecksum(7, 5320);
        await using (var store = await folder.OpenAsync())
        {
            await using var checkpoint = await store.OpenAsync(Pair, Token);
            Assert.Equal((CheckpointCondition.Good, 2), (checkpoint.Condition, checkpoint.Count(Settlement.Copied)));
            Assert.True(checkpoint.TryGet(new Uid(101), out var known));
            Assert.Equal(
                new SettledMessage(new Uid(101), new Uid(4711), Settlement.Copied, FlagSet.Parse(["\\Seen", "$Label1"]), hasChecksums ? new MessageChecksum(0x1a2b3c4d, 5320) : null),
                known);
            checkpoint.Settle(known with { Checksum = checksum });
            await checkpoint.CommitAsync(Token);
        }

        Assert.StartsWith("imapsync-journal 4 ", await File.ReadAllTextAsync(folder.Journal, Token), StringComparison.Ordinal);
        await using var again = await folder.OpenAsync();
        await using var reread = await again.OpenAsync(Pair, Token);
        Assert.Equal([checksum, hasChecksums ? new MessageChecksum(0x00f1e2d3, 811) : null], reread.Messages.Select(m => m.Checksum));
        Assert.Equal(4713u, reread.KnownTargetUidNext.Value);
    }

    [Theory]
    [InlineData(FirstVersion)]
    [InlineData(SecondVersion)]
    [InlineData(ThirdVersion)]
    public async Task Looking_at_a_journal_of_an_older_version_leaves_it_as_it_is(string text)
    {
        await WriteAsync(text);
        await using var store = await folder.OpenAsync(readOnly: true);
        await using var checkpoint = await store.OpenAsync(Pair, Token);
        Assert.Equal(2, checkpoint.Count(Settlement.Copied));
        Assert.Equal(text.ReplaceLineEndings("\n"), await File.ReadAllTextAsync(folder.Journal, Token));
    }

    private async Task WriteAsync(string text)
    {
        await using (var store = await folder.OpenAsync())
        {
            await using var checkpoint = await store.OpenAsync(Pair, Token);
            checkpoint.Reset(new UidValidity(1), new UidValidity(1), "");
            await checkpoint.CommitAsync(Token);
        }

        await File.WriteAllBytesAsync(folder.Journal, Encoding.UTF8.GetBytes(text.ReplaceLineEndings("\n")), Token);
    }
}
