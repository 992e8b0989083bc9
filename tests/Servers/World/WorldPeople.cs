namespace Imapsync.Servers.Tests.World;

/// <summary>Makes the random changes of users at source and target between runs.</summary>
internal sealed class WorldPeople(Random random, WorldModel model, PlaceHistory sourceHistory, WorldPlace source, PlaceHistory targetHistory, WorldPlace target, Action<string> tell)
{
    private static readonly string[] Names = ["Work", "Lists", "Lists/dotnet", "Archive", "Private"];

    private int number;

    /// <summary>The source's first message. It always stays, because a job does not empty a target when the source shows no mail.</summary>
    private int keeper;

    public async Task FillAsync()
    {
        sourceHistory.Look();
        foreach (var name in Names.Where(_ => random.Next(2) == 0))
            await CreateAsync(name);
        keeper = Deliver("INBOX");
        for (var left = random.Next(6, 20); left > 0; left--)
            Deliver(AnyFolder(sourceHistory));
        sourceHistory.Look();
    }

    public async Task AtSourceAsync()
    {
        switch (random.Next(17))
        {
            case < 5:
                for (var left = random.Next(1, 4); left > 0; left--)
                    Deliver(AnyFolder(sourceHistory));
                break;
            case < 8 when Any(sourceHistory, keeper) is var (folder, chosen):
                source.Remove(folder, chosen);
                model.Left(folder, chosen);
                tell($"source: {chosen} deleted from {folder}");
                break;
            case < 10 when Any(sourceHistory, keeper) is var (folder, chosen) && AnyFolder(sourceHistory) is var to && to != folder:
                source.Move(folder, chosen, to);
                model.Left(folder, chosen);
                model.Came(to, chosen);
                tell($"source: {chosen} moved from {folder} to {to}");
                break;
            case < 12 when Any(sourceHistory, 0) is var (folder, chosen):
                source.Flag(folder, chosen, random);
                tell($"source: {chosen} in {folder} flagged");
                break;
            case 12:
                await CreateAsync(Names[random.Next(Names.Length)]);
                break;
            case 13 when AnyLeaf() is { } folder:
                await source.DeleteFolderAsync(folder);
                foreach (var gone in sourceHistory.Last.In(folder))
                    model.Left(folder, gone, sourceHistory.Last[folder, gone]);
                tell($"source: folder {folder} deleted");
                break;
            // Rename only folders without children. Dovecot lists a renamed parent again once a child of it is created
            // (docs/reliability.md).
            case 14 when AnyLeaf() is { } folder && !folder.StartsWith("Lists", StringComparison.Ordinal):
                await RenameAsync(folder, $"Renamed {++number}");
                break;
            case 15 when AnyLeaf() is { } folder:
                // Replace the folder by another one with the same name and mail.
                var aside = $"Aside {++number}";
                await source.RenameFolderAsync(folder, aside);
                await source.CreateFolderAsync(folder);
                foreach (var moved in sourceHistory.Last.In(folder))
                {
                    for (var left = sourceHistory.Last[folder, moved]; left > 0; left--)
                        source.Move(aside, moved, folder);
                }

                await source.DeleteFolderAsync(aside);
                tell($"source: folder {folder} made anew with its mail");
                break;
            default:
                var rewritten = AnyFolder(sourceHistory);
                source.Rewrite(rewritten, random);
                tell($"source: another program has {rewritten} open");
                break;
        }

        sourceHistory.Look();
    }

    public async Task AtTargetAsync()
    {
        if (targetHistory.Last.Folders.Count == 0)
            return;
        switch (random.Next(11))
        {
            case < 4:
                for (var left = random.Next(1, 4); left > 0; left--)
                    DeliverToTarget(AnyFolder(targetHistory));
                break;
            case 4 when Any(targetHistory, 0) is var (folder, chosen) && folder != "Removed":
                target.Remove(folder, chosen);
                model.PeopleTook(folder, chosen);
                tell($"target: {chosen} deleted from {folder}");
                break;
            case 5 or 6 when Any(targetHistory, 0) is var (folder, chosen) && folder != "Removed":
                if (!targetHistory.Last.Folders.Contains("Theirs"))
                    await target.CreateFolderAsync("Theirs");
                var to = random.Next(2) == 0 ? "Theirs" : AnyFolder(targetHistory);
                if (to == folder || to == "Removed")
                    break;
                target.Move(folder, chosen, to);
                model.PeopleTook(folder, chosen);
                model.PeopleBrought(to, chosen);
                tell($"target: {chosen} moved from {folder} to {to}");
                break;
            case 9 when AnyFolder(targetHistory) is var folder && folder is not ("INBOX" or "Removed" or "Lists") && !folder.Contains('/', StringComparison.Ordinal):
                await target.DeleteFolderAsync(folder);
                await target.CreateFolderAsync(folder);
                foreach (var gone in targetHistory.Last.In(folder))
                {
                    for (var left = targetHistory.Last[folder, gone]; left > 0; left--)
                        model.PeopleTook(folder, gone);
                }

                tell($"target: folder {folder} deleted and made anew");
                targetHistory.Look();
                for (var left = random.Next(0, 3); left > 0; left--)
                    DeliverToTarget(folder);
                break;
            case 7 or 8 when Any(targetHistory, 0) is var (folder, chosen):
                target.Flag(folder, chosen, random);
                tell($"target: {chosen} in {folder} flagged");
                break;
            default:
                var rewritten = AnyFolder(targetHistory);
                target.Rewrite(rewritten, random);
                tell($"target: another program has {rewritten} open");
                break;
        }

        targetHistory.Look();
    }

    /// <summary>Makes changes while a run is active: deliveries and flag changes.</summary>
    public void Meanwhile()
    {
        if (random.Next(2) == 0)
            Deliver(AnyFolder(sourceHistory));
        else if (Any(sourceHistory, 0) is var (folder, chosen) && source is MaildirPlace { Server: null })
            source.Flag(folder, chosen, random);
    }

    public string AnyFolder(PlaceHistory history)
    {
        var all = history.Last.Folders.Order(StringComparer.Ordinal).ToList();
        return all[random.Next(all.Count)];
    }

    private int Deliver(string folder)
    {
        var mail = Make();
        // Sometimes the same message is delivered twice; both copies must stay.
        for (var left = random.Next(20) == 0 ? 2 : 1; left > 0; left--)
        {
            source.Deliver(folder, mail, random);
            model.Came(folder, mail.Number);
        }

        tell($"source: {mail.Number} ({mail.Size} octets) to {folder}");
        return mail.Number;
    }

    private void DeliverToTarget(string folder)
    {
        var mail = Make();
        target.Deliver(folder, mail, random);
        model.PeopleBrought(folder, mail.Number);
        tell($"target: {mail.Number} delivered to {folder}");
    }

    private WorldMail Make()
    {
        var mail = WorldMail.Make(random, ++number, hasId: random.Next(6) > 0);
        lock (model)
            model.Mail.Add(mail.Number, mail);
        return mail;
    }

    private async Task CreateAsync(string name)
    {
        if (sourceHistory.Last.Folders.Contains(name))
            return;
        await source.CreateFolderAsync(name);
        sourceHistory.Look();
        tell($"source: folder {name} created");
    }

    private async Task RenameAsync(string folder, string name)
    {
        await source.RenameFolderAsync(folder, name);
        foreach (var moved in sourceHistory.Last.In(folder))
        {
            model.Left(folder, moved, sourceHistory.Last[folder, moved]);
            for (var left = sourceHistory.Last[folder, moved]; left > 0; left--)
                model.Came(name, moved);
        }

        model.Renames.Add((folder, name));
        tell($"source: folder {folder} renamed to {name}");
    }

    private (string Folder, int Number)? Any(PlaceHistory history, int not)
    {
        var all = history.Last.All.Where(m => m.Number != not && m.Number > 0).OrderBy(m => m.Number).ThenBy(m => m.Folder, StringComparer.Ordinal).ToList();
        return all.Count == 0 ? null : all[random.Next(all.Count)] is var chosen ? (chosen.Folder, chosen.Number) : null;
    }

    /// <summary>Returns a random source folder without children, other than INBOX; null if there is none.</summary>
    private string? AnyLeaf()
    {
        var all = sourceHistory.Last.Folders.Where(f => f != "INBOX" && !sourceHistory.Last.Folders.Any(o => o.StartsWith(f + "/", StringComparison.Ordinal)))
            .Where(f => !sourceHistory.Last.In(f).Contains(keeper)).Order(StringComparer.Ordinal).ToList();
        return all.Count == 0 ? null : all[random.Next(all.Count)];
    }
}
