using System.Text;
using Imapsync.Engine.State;
using Imapsync.Engine.Tests.Contracts;

namespace Imapsync.Engine.Tests.State;

/// <summary>
/// A scratch medium keeps changes in memory. Until the medium is closed, checkpoints in it pass the tests of all checkpoints.
/// </summary>
public sealed class ScratchMediumTests : CheckpointContract
{
    private readonly StateFolder folder = new();
    private readonly ScratchMedium scratch;

    public ScratchMediumTests() => scratch = new ScratchMedium(new FileMedium(new StateLocation(folder.Root), TimeProvider.System));

    public override async ValueTask DisposeAsync()
    {
        // Nothing of what was written reached the disk.
        Assert.False(Directory.Exists(folder.Root));
        await scratch.DisposeAsync();
        folder.Dispose();
        await base.DisposeAsync();
    }

    protected override async Task<ICheckpointStore> OpenStoreAsync(bool readOnly = false) => await CheckpointStore.OpenAsync(scratch, readOnly, Token);
}

/// <summary>A scratch medium reads as if its changes had been written to the medium below, which stays unchanged.</summary>
public sealed class ScratchOverFilesTests : IDisposable
{
    private static readonly PairKey Pair = new(new Imapsync.Engine.Mail.FolderPath("a"), new Imapsync.Engine.Mail.FolderPath("b"));

    private readonly StateFolder folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task The_same_steps_over_files_and_in_files_are_read_as_the_same(int seed)
    {
        using var other = new StateFolder();
        await using var files = Open(other);
        await files.HoldAsync(Token);
        await using (var held = Open(folder))
        {
            await held.HoldAsync(Token);
            foreach (var medium in (IStateMedium[])[held, files])
            {
                await medium.ReplaceAsync(StateName.Journal(Pair), Text("kept kept kept"), Token);
                await medium.ReplaceAsync(StateName.Summary, Text("summary"), Token);
            }
        }

        var before = Shown(folder);
        await using var scratch = new ScratchMedium(Open(folder));
        var random = new Random(seed);
        StateName[] names = [StateName.Journal(Pair), StateName.Summary, StateName.Journal(new PairKey(Pair.Target, Pair.Source)), StateName.Appending];
        for (var step = 0; step < 300; step++)
        {
            var name = names[random.Next(names.Length)];
            var (kind, text) = (random.Next(6), new string((char)random.Next('a', 'z'), random.Next(300)));
            var length = await files.ReadAllAsync(name, int.MaxValue, Token) is { } there ? random.Next(there.Length + 1) : -1;
            foreach (var medium in (IStateMedium[])[files, scratch])
            {
                if (kind == 0)
                    await medium.ReplaceAsync(name, Text(text), Token);
                else if (kind == 1)
                    await medium.RemoveAsync(name, Token);
                else if (kind == 2 && name.Pair is not null && length >= 0)
                    await medium.SetAsideAsync(name, Token);
                else if (length >= 0)
                    await AddAsync(medium, name, length, text);
            }

            foreach (var each in names)
            {
                var expected = await files.ReadAllAsync(each, int.MaxValue, Token);
                Assert.Equal(expected, await scratch.ReadAllAsync(each, int.MaxValue, Token));
                Assert.Equal(expected is not null, await scratch.HasAsync(each, Token));
            }

            Assert.Equal(await files.OpenJournalsAsync(Token).CountAsync(Token), await scratch.OpenJournalsAsync(Token).CountAsync(Token));
        }

        Assert.Equal(before, Shown(folder));
    }

    [Fact]
    public async Task A_piece_that_another_run_takes_away_meanwhile_looks_cut_off()
    {
        await using var real = Open(folder);
        await real.HoldAsync(Token);
        await real.ReplaceAsync(StateName.Journal(Pair), Text("kept kept kept"), Token);
        await using var scratch = new ScratchMedium(Open(folder));
        await AddAsync(scratch, StateName.Journal(Pair), 14, "added");
        await real.RemoveAsync(StateName.Journal(Pair), Token);
        Assert.NotEqual("kept kept keptaddedend", await scratch.ReadAllAsync(StateName.Journal(Pair), int.MaxValue, Token) is { } octets ? Encoding.UTF8.GetString(octets) : null);
    }

    private static async Task AddAsync(IStateMedium medium, StateName name, long length, string text)
    {
        using var log = medium.Continue(name, length);
        await log.AppendAsync(Text(text));
        await log.AppendAsync(Text("end"));
    }

    private static FileMedium Open(StateFolder folder) => new(new StateLocation(folder.Root), TimeProvider.System);

    private static ReadOnlyMemory<byte> Text(string text) => Encoding.UTF8.GetBytes(text);

    private static string Shown(StateFolder folder) => string.Join('\n', Directory.EnumerateFiles(folder.Root, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Select(f => $"{f} {File.ReadAllText(f)}"));
}
