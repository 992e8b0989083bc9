using Imapsync.Engine.Progress;
using Imapsync.Engine.Tests.State;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Copying;

/// <summary>Whatever happens to a checkpoint file between two runs, the second run neither loses nor doubles a message.</summary>
public sealed class CheckpointDamageTests : IDisposable
{
    private readonly MailboxFixture box = new();
    private byte[] summary = [];

    public void Dispose() => box.Dispose();

    [Fact]
    public async Task A_checkpoint_cut_at_any_length_loses_and_doubles_nothing()
    {
        var journal = await PrepareAsync();
        var whole = await File.ReadAllBytesAsync(journal);
        for (var length = 0; length < whole.Length; length++)
            await RunWithAsync(journal, whole[..length], $"cut at {length} of {whole.Length}");
    }

    [Fact]
    public async Task A_checkpoint_with_flipped_bits_loses_and_doubles_nothing()
    {
        var seed = Seeds.Next();
        var random = new Random(seed);
        var journal = await PrepareAsync();
        var whole = await File.ReadAllBytesAsync(journal);
        for (var round = 0; round < 400; round++)
        {
            var damaged = (byte[])whole.Clone();
            for (var flips = random.Next(1, 4); flips > 0; flips--)
                damaged[random.Next(damaged.Length)] ^= (byte)(1 << random.Next(8));
            await RunWithAsync(journal, damaged, $"seed {seed}, round {round}");
        }
    }

    /// <summary>Makes two runs, so that the journal has several commits, then adds mail that no run has seen yet.</summary>
    private async Task<string> PrepareAsync()
    {
        for (var i = 0; i < 4; i++)
            box.Source.Folder("INBOX").Add(MailboxFixture.Mail($"m{i}"), i % 2 == 0 ? "\\Seen $Work" : "");
        box.Source.Folder("INBOX").Add("Subject: twin\r\n\r\ntwin\r\n");
        await box.RunAsync();
        box.Source.Folder("INBOX").Add("Subject: twin\r\n\r\ntwin\r\n");
        await box.RunAsync();
        box.Source.Folder("INBOX").Add(MailboxFixture.Mail("late"));
        summary = await File.ReadAllBytesAsync(Path.Combine(box.StateDirectory, "summary"));
        return Assert.Single(Directory.GetFiles(Path.Combine(box.StateDirectory, "pairs"), "*.journal"));
    }

    private async Task RunWithAsync(string journal, byte[] content, string what)
    {
        await File.WriteAllBytesAsync(journal, content);
        await File.WriteAllBytesAsync(Path.Combine(box.StateDirectory, "summary"), summary);
        var target = box.Target.Folder("INBOX");
        var (messages, uidNext) = (target.Messages.ToList(), target.UidNext);

        var report = await box.RunAsync();

        Assert.True(report.Outcome == JobOutcome.Ok, $"{what}: {string.Join('\n', report.Problems)}");
        Assert.Equal($"{what}\n" + MailboxFixture.Describe(box.Source), $"{what}\n" + MailboxFixture.Describe(box.Target));
        target.Messages.Clear();
        target.Messages.AddRange(messages);
        target.UidNext = uidNext;
        foreach (var aside in Directory.GetFiles(Path.GetDirectoryName(journal)!, "*.damaged*"))
            File.Delete(aside);
    }
}
