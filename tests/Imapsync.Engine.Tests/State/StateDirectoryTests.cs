using System.Diagnostics;
using System.Runtime.Versioning;
using System.Text;
using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;
using Imapsync.Engine.State;
using Imapsync.Imap;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.State;

/// <summary>The contents of a state directory: names, modes, lock, stale files, versions, and damaged files set aside.</summary>
public sealed class StateDirectoryTests : IDisposable
{
    private static readonly PairKey Inbox = new(FolderPath.Inbox, FolderPath.Inbox);
    private readonly StateFolder folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Hostile_folder_names_stay_inside_and_apart()
    {
        string[] names =
        [
            "../../etc/x", "..", ".", "/", "a\0b", "new\nline", "\ud800", "\udfff", "%", "-", " ", "CON", new string('x', 5000), new string('x', 4999) + "y",
            "\u202e\u0000", "a\\/b", "ends.tmp", "é", "e\u0301", "inbox ", "\U0001F4E7",
        ];
        await using (var store = await folder.OpenAsync())
        {
            for (var i = 0; i < names.Length; i++)
            {
                await using var c = await store.OpenAsync(Key(names[i]), Token);
                c.Reset(new UidValidity((uint)i + 1), new UidValidity(1), names[i]);
                await c.CommitAsync(Token);
            }

            await store.SaveSummariesAsync([.. names.Select(n => new PairSummary(Key(n), default, null, n, 0, 0, n))], Token);
        }

        Assert.Equal(["lock", "pairs", "summary"], Directory.GetFileSystemEntries(folder.Root).Select(Path.GetFileName).Order());
        Assert.Equal(names.Length, Directory.GetFiles(folder.Pairs).Length);
        Assert.Single(Directory.GetFileSystemEntries(Path.GetDirectoryName(folder.Root)!));
        await using var again = await folder.OpenAsync();
        for (var i = 0; i < names.Length; i++)
        {
            await using var c = await again.OpenAsync(Key(names[i]), Token);
            Assert.Equal((CheckpointCondition.Good, (uint)i + 1, names[i]), (c.Condition, c.SourceValidity.Value, c.Rules));
            Assert.Equal((names[i], names[i]), (again.Summaries[Key(names[i])].Rules, again.Summaries[Key(names[i])].MailboxId));
        }

        static PairKey Key(string name) => new(new FolderPath(name), new FolderPath("t", name));
    }

    [Fact]
    [UnsupportedOSPlatform("windows")]
    public async Task Only_the_owner_can_read_it()
    {
        await WriteAsync(1);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(folder.Root));
        Assert.All(
            Directory.GetFiles(folder.Root, "*", SearchOption.AllDirectories),
            f => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(f)));
    }

    [Fact]
    public async Task Looking_creates_nothing()
    {
        await using var store = await folder.OpenAsync(readOnly: true);
        await using var c = await store.OpenAsync(Inbox, Token);
        c.Reset(new UidValidity(1), new UidValidity(1), "");
        await c.CommitAsync(Token);
        Assert.False(Directory.Exists(folder.Root));
    }

    [Fact]
    public async Task Looking_at_damage_leaves_it()
    {
        await WriteAsync(1);
        await File.AppendAllTextAsync(folder.Journal, "junk\n", Token);
        await using var store = await folder.OpenAsync(readOnly: true);
        await using var c = await store.OpenAsync(Inbox, Token);
        Assert.Equal(CheckpointCondition.Damaged, c.Condition);
        Assert.EndsWith("junk\n", await File.ReadAllTextAsync(folder.Journal, Token), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Damage_is_set_aside_and_only_the_newest_is_kept()
    {
        for (var n = 1u; n <= 6; n++)
        {
            await WriteAsync(n);
            await File.AppendAllTextAsync(folder.Journal, $"junk {n}\n", Token);
            await using var store = await folder.OpenAsync();
            await using var c = await store.OpenAsync(Inbox, Token);
            Assert.Contains($".damaged-{n}", c.Damage, StringComparison.Ordinal);
            Assert.Empty(c.Messages);
        }

        var kept = Directory.GetFiles(folder.Pairs).Order().ToList();
        Assert.Equal([".damaged-4", ".damaged-5", ".damaged-6"], kept.Select(Path.GetExtension));
        Assert.EndsWith("junk 6\n", await File.ReadAllTextAsync(kept[^1], Token), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_journal_of_another_pair_is_damage()
    {
        var other = new PairKey(new FolderPath("other"), new FolderPath("other"));
        await WriteAsync(1);
        var mine = folder.Journal;
        await using (var store = await folder.OpenAsync())
        {
            await using var c = await store.OpenAsync(other, Token);
            c.Reset(new UidValidity(1), new UidValidity(1), "");
            await c.CommitAsync(Token);
        }

        File.Copy(mine, Directory.GetFiles(folder.Pairs, "other-*").Single(), overwrite: true);
        await using var again = await folder.OpenAsync();
        await using var swapped = await again.OpenAsync(other, Token);
        Assert.Equal(CheckpointCondition.Damaged, swapped.Condition);
        Assert.Contains("INBOX", swapped.Damage, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_newer_version_is_refused_and_left_alone()
    {
        await WriteAsync(1);
        foreach (var (path, magic) in new[] { (folder.Journal, $"imapsync-journal {JournalRecords.Version + 1}"), (folder.Summary, "imapsync-summary 7") })
        {
            var newer = $"{magic} {Crc32C.Append(0, Encoding.ASCII.GetBytes(magic)):x8}\n\0something else altogether";
            await File.WriteAllTextAsync(path, newer, Token);
            var refusal = await Assert.ThrowsAsync<CheckpointVersionException>(async () =>
            {
                await using var store = await folder.OpenAsync();
                await using var c = await store.OpenAsync(Inbox, Token);
            });
            Assert.Contains(path, refusal.Message, StringComparison.Ordinal);
            Assert.Equal(newer, await File.ReadAllTextAsync(path, Token));
        }
    }

    [Fact]
    public async Task A_bad_line_of_the_summary_costs_one_pair()
    {
        var pairs = Enumerable.Range(0, 5).Select(i => new PairKey(new FolderPath($"f{i}"), new FolderPath("t"))).ToList();
        await using (var store = await folder.OpenAsync())
            await store.SaveSummariesAsync([.. pairs.Select(p => new PairSummary(p, default, null, "", 0, 0))], Token);
        var whole = await File.ReadAllBytesAsync(folder.Summary, Token);
        var seed = Seeds.Next();
        var random = new Random(seed);
        var header = Array.IndexOf(whole, (byte)'\n');
        for (var at = 0; at < whole.Length; at++)
        {
            var changed = (byte[])whole.Clone();
            changed[at] ^= (byte)random.Next(1, 256);
            await File.WriteAllBytesAsync(folder.Summary, changed, Token);
            await using var store = await folder.OpenAsync();
            Assert.True(store.Summaries.Keys.All(pairs.Contains), $"seed {seed}, octet {at}");
            // The file has a line for each folder pair. A changed line end joins two lines, so up to two folder pairs are lost.
            Assert.InRange(store.Summaries.Count, at <= header ? 0 : 3, at <= header ? 0 : 5);
        }
    }

    [Fact]
    public async Task Another_process_is_kept_out_and_its_death_lets_in()
    {
        await using (await folder.OpenAsync())
            Assert.Equal(1, await RunAsync("flock", "--nonblock", Path.Combine(folder.Root, "lock"), "true"));
        Assert.Equal(0, await RunAsync("flock", "--nonblock", Path.Combine(folder.Root, "lock"), "true"));

        await File.WriteAllTextAsync(Path.Combine(folder.Root, "lock"), "pid 1 on elsewhere since then\n", Token);
        using var holder = Process.Start(new ProcessStartInfo("flock", ["--no-fork", Path.Combine(folder.Root, "lock"), "sh", "-c", "echo held; exec cat"])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        Assert.Equal("held", await holder.StandardOutput.ReadLineAsync(Token));
        var refusal = await Assert.ThrowsAsync<CheckpointLockedException>(() => folder.OpenAsync());
        Assert.Equal("another run holds this job: pid 1 on elsewhere since then", refusal.Message);
        holder.Kill();
        await holder.WaitForExitAsync(Token);
        await using var free = await folder.OpenAsync();
    }

    private static async Task<int> RunAsync(string command, params string[] arguments)
    {
        using var process = Process.Start(command, arguments);
        await process.WaitForExitAsync(Token);
        return process.ExitCode;
    }

    private async Task WriteAsync(uint uid)
    {
        await using var store = await folder.OpenAsync();
        await using var c = await store.OpenAsync(Inbox, Token);
        c.Reset(new UidValidity(1), new UidValidity(1), "");
        c.Settle(new SettledMessage(new Uid(uid), new Uid(uid), Settlement.Copied, FlagSet.Empty));
        await c.CommitAsync(Token);
    }
}
