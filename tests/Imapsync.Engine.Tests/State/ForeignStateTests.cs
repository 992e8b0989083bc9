using System.Diagnostics;
using Imapsync.Engine.Mail;
using Imapsync.Engine.State;
using Imapsync.Imap;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.State;

/// <summary>A state directory that contains files of other programs, or something other than regular files.</summary>
public sealed class ForeignStateTests : IDisposable
{
    private readonly StateFolder folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Somebodys_files_are_refused_and_none_of_them_changes()
    {
        string[] names = ["thesis.tmp", "summary", "summary.tmp", "lock", "verify", "photo.jpg", "budget-source", "notes/pairs.txt", "pairs/a.tmp", "pairs/b.journal.tmp", "pairs/lock"];
        var seed = Seeds.Next();
        var random = new Random(seed);
        for (var round = 0; round < 60; round++)
        {
            var root = Path.Combine(Path.GetDirectoryName(folder.Root)!, $"theirs-{round}");
            var files = new Dictionary<string, string>();
            foreach (var name in random.GetItems(names, random.Next(1, 5)).Distinct())
            {
                files[name] = $"text {random.Next()}";
                var path = Path.Combine(root, name);
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                await File.WriteAllTextAsync(path, files[name], Token);
            }

            Exception? refusal = null;
            try
            {
                await using var store = await CheckpointStore.OpenAsync(root, TimeProvider.System, readOnly: random.Next(4) == 0, Token);
            }
            catch (CheckpointException e)
            {
                refusal = e;
            }

            foreach (var (name, text) in files)
                Assert.True(File.Exists(Path.Combine(root, name)) && await File.ReadAllTextAsync(Path.Combine(root, name), Token) == text, $"seed {seed}, round {round}: {name} was touched");
            if (files.Keys.Any(f => !f.Contains('/', StringComparison.Ordinal)))
            {
                Assert.True(refusal is not null, $"seed {seed}, round {round}: {string.Join(' ', files.Keys)} was accepted");
                Assert.Contains("name an empty or a new directory", refusal.Message, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public async Task A_new_an_empty_and_its_own_directory_are_accepted_at_any_stage()
    {
        await using (await folder.OpenAsync())
        {
        }

        File.Delete(Path.Combine(folder.Root, "lock"));
        await using (await folder.OpenAsync())
        {
        }

        Directory.Delete(folder.Root, recursive: true);
        Directory.CreateDirectory(Path.Combine(folder.Root, "lost+found"));
        Directory.CreateDirectory(Path.Combine(folder.Root, "another-job", "pairs"));
        await File.WriteAllTextAsync(Path.Combine(folder.Root, "verify"), "imapsync-verify 1\nsample 10 3\n", Token);
        await using (await folder.OpenAsync())
        {
        }
    }

    [Fact]
    public async Task Its_own_directory_is_accepted_when_a_power_cut_has_taken_the_lock_and_left_the_names()
    {
        foreach (var left in (string[])["0a.names", "0a.names.imapsync-new"])
        {
            await using (await folder.OpenAsync())
            {
            }

            Directory.CreateDirectory(Path.Combine(folder.Root, "names"));
            await File.WriteAllTextAsync(Path.Combine(folder.Root, "names", left), "", Token);
            File.Delete(Path.Combine(folder.Root, "lock"));
            await using (await folder.OpenAsync())
            {
            }
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("imap")]
    [InlineData("imapsync-summary 4\nhalf a li")]
    [InlineData("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0")]
    public async Task Its_own_directory_is_accepted_when_a_power_cut_has_taken_the_lock_and_torn_what_was_being_written(string left)
    {
        await using (await folder.OpenAsync())
        {
        }

        await File.WriteAllTextAsync(Path.Combine(folder.Root, "summary.tmp"), left, Token);
        File.Delete(Path.Combine(folder.Root, "lock"));
        await using (await folder.OpenAsync())
        {
        }

        Assert.False(File.Exists(Path.Combine(folder.Root, "summary.tmp")));
    }

    [Fact]
    public async Task What_only_looks_like_a_leftover_stays()
    {
        await using (await folder.OpenAsync())
        {
        }

        string[] theirs = [Path.Combine(folder.Root, "thesis.tmp"), Path.Combine(folder.Pairs, "thesis.tmp"), Path.Combine(folder.Pairs, "old.journal.tmp")];
        foreach (var path in theirs)
            await File.WriteAllTextAsync(path, "mine", Token);
        await using (await folder.OpenAsync())
        {
        }

        Assert.All(theirs, path => Assert.True(File.Exists(path), path));
    }

    [Theory]
    [InlineData("lock")]
    [InlineData("summary")]
    [InlineData("journal")]
    public async Task A_pipe_in_place_of_a_file_is_told_and_not_waited_for(string what)
    {
        var pair = new PairKey(FolderPath.Inbox, FolderPath.Inbox);
        await using (var store = await folder.OpenAsync())
        {
            await using var c = await store.OpenAsync(pair, Token);
            c.Reset(new UidValidity(1), new UidValidity(1), "");
            await c.CommitAsync(Token);
        }

        var path = what == "journal" ? folder.Journal : Path.Combine(folder.Root, what);
        File.Delete(path);
        using (var made = Process.Start("mkfifo", [path]))
            await made.WaitForExitAsync(Token);
        var refusal = await Assert.ThrowsAsync<CheckpointException>(async () =>
        {
            await using var store = await folder.OpenAsync();
            await using var c = await store.OpenAsync(pair, Token);
        });
        Assert.Contains("a pipe, a socket or a device", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_lock_is_the_systems_own_whatever_the_base_library_is_told()
    {
        // Use the program flock to ask the system itself for the lock. Opening the file again from .NET proves nothing if .NET's file
        // locking is switched off.
        await using var held = await folder.OpenAsync();
        using var process = Process.Start(new ProcessStartInfo("flock", ["--nonblock", "--shared", Path.Combine(folder.Root, "lock"), "true"]))!;
        await process.WaitForExitAsync(Token);
        Assert.Equal(1, process.ExitCode);
        await Assert.ThrowsAsync<CheckpointLockedException>(() => folder.OpenAsync());
    }
}
