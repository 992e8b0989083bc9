using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests.Model;

/// <summary>Random changes by the source's owner between runs, made on the real server and in the model.</summary>
internal sealed class SourceChanges(Random random, ModelMailbox model, Numbers numbers, Action<string> tell)
{
    private static readonly string[] Flags = ["\\Seen", "\\Flagged", "\\Draft", "work", "$Label1", "Invoice-2025"];
    private static readonly string[] Names = ["Work", "Ümläute & mehr", "Lists", "Lists/dotnet", "日本", "a,b", "Archive/2024/Q1", "[x]"];

    private readonly HashSet<string> renamed = [];

    public async Task FillAsync(ImapProbe probe)
    {
        foreach (var name in Names.Where(_ => random.NextDouble() < .4))
            await CreateAsync(probe, name);
        await DeliverAsync(probe, "INBOX", 1);
        for (var left = random.Next(10, 50); left > 0; left--)
            await DeliverAsync(probe, Any(model.Folders.Keys), 1);
    }

    public async Task ChangeAsync(ImapProbe probe)
    {
        for (var left = random.Next(0, 7); left > 0; left--)
        {
            await (random.Next(20) switch
            {
                < 5 => DeliverAsync(probe, Any(model.Folders.Keys), random.Next(1, 6)),
                < 9 => DeleteAsync(probe),
                < 14 => ChangeFlagAsync(probe),
                < 15 => CreateAsync(probe, random.Next(2) == 0 ? $"New {numbers.Next()}" : Any(Names)),
                < 16 => DeleteFolderAsync(probe),
                < 18 => RenameAsync(probe),
                _ => RenumberAsync(probe),
            });
        }
    }

    private async Task DeliverAsync(ImapProbe probe, string folder, int count)
    {
        for (; count > 0; count--)
        {
            var size = random.Next(100) switch { 0 => 1_500_000, < 5 => random.Next(50_000, 200_000), _ => random.Next(300, 3000) };
            var number = numbers.Next();
            var octets = MaildirReader.WithCrLf(MailGenerator.Message(number, size)).ToArray();
            var flags = Flags.Where(_ => random.Next(4) == 0).ToList();
            // Sometimes the same message is delivered twice; both copies must stay.
            for (var copies = random.Next(20) == 0 ? 2 : 1; copies > 0; copies--)
            {
                await probe.AppendAsync(folder, octets, string.Join(' ', flags), MailGenerator.Date(number));
                model.Deliver(folder, octets, MailGenerator.Date(number), flags);
            }

            tell($"source: message {number} of {octets.Length} octets to {folder} ({string.Join(' ', flags)})");
        }
    }

    private async Task DeleteAsync(ImapProbe probe)
    {
        // The very first message stays, since a job refuses to empty a target when the source shows no mail at all.
        if (AnyMessage(m => m != model.Folders["INBOX"][0]) is not { } chosen)
            return;
        var uid = await SelectAsync(probe, chosen.Folder, chosen.Message);
        await probe.CommandAsync($"UID STORE {uid} +FLAGS.SILENT (\\Deleted)");
        await probe.CommandAsync("CLOSE");
        model.Delete(chosen.Folder, chosen.Message);
        tell($"source: {chosen.Message.Digest[..12]} deleted from {chosen.Folder}");
    }

    private async Task ChangeFlagAsync(ImapProbe probe)
    {
        // Only a message without a duplicate is chosen, because the model can't tell identical messages apart.
        if (AnyMessage(m => model.AtSource.Count(o => o.Digest == m.Digest) == 1) is not { } chosen)
            return;
        var flag = Any(Flags);
        var add = !chosen.Message.Flags.Contains(flag);
        var uid = await SelectAsync(probe, chosen.Folder, chosen.Message);
        await probe.CommandAsync($"UID STORE {uid} {(add ? '+' : '-')}FLAGS ({flag})");
        await probe.CommandAsync("UNSELECT");
        model.ChangeFlag(chosen.Folder, chosen.Message, flag, add);
        tell($"source: {chosen.Message.Digest[..12]} in {chosen.Folder} {(add ? '+' : '-')}{flag}");
    }

    private async Task CreateAsync(ImapProbe probe, string name)
    {
        if (model.Folders.ContainsKey(name))
            return;
        // When only a child of a renamed folder is created again, Dovecot 2.3 keeps listing the parent as if it existed.
        if (name.LastIndexOf('/') is > 0 and var end && renamed.Contains(name[..end]))
            await CreateAsync(probe, name[..end]);
        await probe.CommandAsync("CREATE " + ImapProbe.Quote(name));
        model.Create(name);
        tell($"source: folder {name} created");
    }

    private async Task DeleteFolderAsync(ImapProbe probe)
    {
        if (AnyFolder(hasChildren: false) is not { } folder)
            return;
        await probe.CommandAsync("DELETE " + ImapProbe.Quote(folder));
        model.DeleteFolder(folder);
        tell($"source: folder {folder} deleted");
    }

    private async Task RenameAsync(ImapProbe probe)
    {
        if (AnyFolder() is not { } folder)
            return;
        var name = $"Renamed {numbers.Next()}";
        await probe.CommandAsync($"RENAME {ImapProbe.Quote(folder)} {ImapProbe.Quote(name)}");
        model.Rename(folder, name);
        renamed.Add(folder);
        tell($"source: folder {folder} renamed to {name}");
    }

    /// <summary>Replaces a folder by one with the same name and mail, as when a server restores a backup.</summary>
    private async Task RenumberAsync(ImapProbe probe)
    {
        if (AnyFolder(hasChildren: false) is not { } folder)
            return;
        var aside = $"Aside {numbers.Next()}";
        await probe.CommandAsync($"RENAME {ImapProbe.Quote(folder)} {ImapProbe.Quote(aside)}");
        await probe.CommandAsync("CREATE " + ImapProbe.Quote(folder));
        await probe.CommandAsync("SELECT " + ImapProbe.Quote(aside));
        if (model.Folders[folder].Count > 0)
            await probe.CommandAsync("UID COPY 1:* " + ImapProbe.Quote(folder));
        await probe.CommandAsync("CLOSE");
        await probe.CommandAsync("DELETE " + ImapProbe.Quote(aside));
        model.Renumber(folder);
        tell($"source: folder {folder} has another UIDVALIDITY");
    }

    private static async Task<uint> SelectAsync(ImapProbe probe, string folder, ModelMessage message)
    {
        var uid = (await probe.FetchAsync(folder)).First(m => m.Message == message.AtSource).Uid;
        await probe.CommandAsync("SELECT " + ImapProbe.Quote(folder));
        return uid;
    }

    private (string Folder, ModelMessage Message)? AnyMessage(Func<ModelMessage, bool> suits)
    {
        var all = model.Folders.SelectMany(f => f.Value.Where(suits).Select(m => (f.Key, m))).ToList();
        return all.Count == 0 ? null : all[random.Next(all.Count)];
    }

    /// <summary>Returns a random folder other than INBOX, because INBOX can neither be deleted nor really renamed.</summary>
    private string? AnyFolder(bool hasChildren = true)
    {
        var names = model.Folders.Keys
            .Where(f => f != "INBOX" && (hasChildren || !model.Folders.Keys.Any(o => o.StartsWith(f + "/", StringComparison.Ordinal)))).ToList();
        return names.Count == 0 ? null : Any(names);
    }

    private string Any(IEnumerable<string> names)
    {
        var all = names.ToList();
        return all[random.Next(all.Count)];
    }
}

/// <summary>Numbers that make every message and every name of a round unique.</summary>
internal sealed class Numbers
{
    private int last;

    public int Next() => ++last;
}
