using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests.Model;

/// <summary>Random changes by people at the target between runs: flags on copied messages, and deliveries of their own.</summary>
internal sealed class TargetUsers(Random random, ModelMailbox model, Numbers numbers, Action<string> tell)
{
    /// <summary>
    /// The flags that users of the target change. The source's owner never changes them, because the model can't judge changes on both
    /// sides.
    /// </summary>
    public static readonly string[] Flags = ["\\Answered", "theirs"];

    public async Task WorkAsync(ModelTarget target)
    {
        var now = await target.ReadAsync();
        for (var left = random.Next(0, 4); left > 0; left--)
        {
            if (random.Next(2) == 0)
                await DeliverAsync(target, now);
            else
                await FlagAsync(target, now);
        }
    }

    private async Task DeliverAsync(ModelTarget target, MailboxSnapshot now)
    {
        var folders = now.Folders.Keys.Intersect(model.Folders.Keys).ToList();
        if (folders.Count == 0)
            return;
        var (folder, number) = (folders[random.Next(folders.Count)], 1_000_000 + numbers.Next());
        var octets = MaildirReader.WithCrLf(MailGenerator.Message(number, random.Next(300, 2000))).ToArray();
        await target.DeliverAsync(folder, octets, MailGenerator.Date(number));
        model.DeliverToTarget(folder, octets, MailGenerator.Date(number));
        tell($"target: message {number} delivered to {folder}");
    }

    private async Task FlagAsync(ModelTarget target, MailboxSnapshot now)
    {
        var settled = model.Folders
            .SelectMany(f => f.Value.Where(m => m.IsSettled && m.Places.Count == 1 && model.Expected.Count(o => o.Digest == m.Digest) == 1).Select(m => (f.Key, m)))
            .Where(m => now.Folders.TryGetValue(m.Key, out var there) && there.Messages.Any(t => t.Digest == m.m.Digest)).ToList();
        if (settled.Count == 0)
            return;
        var (folder, message) = settled[random.Next(settled.Count)];
        var flag = target.UserFlags[random.Next(target.UserFlags.Count)];
        var add = random.Next(3) > 0;
        await target.FlagAsync(folder, message.Digest, flag, add);
        message.ChangeAtTarget(flag, add);
        tell($"target: {message.Digest[..12]} in {folder} {(add ? '+' : '-')}{flag}");
    }
}
