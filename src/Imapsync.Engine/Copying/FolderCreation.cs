using Imapsync.Engine.Folders;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Imap;

namespace Imapsync.Engine.Copying;

/// <summary>
/// Creates the folders that the target lacks, under other names where it refuses theirs. Which name a folder has got in the
/// end is read from a new listing: a server that takes two names for one says so in no other way that can be relied on.
/// </summary>
/// <param name="there">The target's folders; kept up to date.</param>
internal sealed class FolderCreation(JobContext context, TargetPathMap places, Dictionary<FolderPath, FolderEntry> there)
{
    private const int MostRounds = 4;
    private const int MostAtOnce = 64;

    /// <summary>What ends the session as often, asked for alone, does so each time.</summary>
    private const int MostBroken = 2;

    private readonly HashSet<FolderPath> refused = [];
    private readonly Dictionary<FolderPath, Task> begun = [];
    private readonly Dictionary<FolderPath, FolderPath> wishes = [];

    /// <summary>Returns the mapped paths that got no folder. Each is reported.</summary>
    public async Task<IReadOnlySet<FolderPath>> RunAsync(IReadOnlyList<FolderPair> mapped, CancellationToken abort)
    {
        // Parents first: what lies below a folder goes where that went.
        var missing = mapped.DistinctBy(p => p.Target).Where(p => !Exists(places[p.Target])).OrderBy(p => p.Target).ToList();
        var news = missing.ToList();
        for (var round = 0; missing.Count > 0 && round < MostRounds; round++)
        {
            var made = new List<FolderPair>();
            foreach (var level in missing.GroupBy(p => p.Target.Levels.Length).OrderBy(g => g.Key).SelectMany(g => g.Chunk(MostAtOnce)))
            {
                if (round == 0)
                    Array.ForEach(level, p => FollowParent(p.Target));
                await CreateTogetherAsync(level, abort);
                foreach (var pair in level)
                {
                    if (await CreateAsync(pair, abort))
                        made.Add(pair);
                }
            }

            if (made.Count > 0)
                await ListAgainAsync(abort);
            missing = [.. made.Where(p => !IsInPlace(p.Target))];
        }

        foreach (var pair in missing)
            Refuse(pair, "the server lists it under no name of its own");
        foreach (var pair in news.Where(p => !refused.Contains(p.Target) && !places[p.Target].Equals(p.Target)))
            context.Report.Note(pair.Source.Path, $"goes to {places[pair.Target]}, since the target can't hold {pair.Target}");
        return refused;
    }

    private bool Exists(FolderPath path) => there.TryGetValue(path, out var entry) && entry.HoldsMessages;

    /// <summary>Folders side by side are asked for at once, each by the first name that can be tried: what comes of it is judged one by one.</summary>
    private async Task CreateTogetherAsync(FolderPair[] level, CancellationToken abort)
    {
        foreach (var pair in level)
        {
            var place = Candidates(pair.Target)[0];
            if (place.Equals(places[pair.Target]) && !Exists(place) && !begun.ContainsKey(place))
                begun.Add(place, BeginAsync(place, pair.Source.Special));
        }

        await Task.WhenAll(begun.Values).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

        // A name refused at once is judged like one refused later.
        async Task BeginAsync(FolderPath place, SpecialFolder special) => await context.Target.CreateFolderAsync(place, special, abort);
    }

    private async Task<bool> CreateAsync(FolderPair pair, CancellationToken abort)
    {
        MailException? first = null;
        foreach (var candidate in Candidates(pair.Target))
        {
            places.Move(pair.Target, candidate);
            var place = places[pair.Target];
            try
            {
                if (!Exists(place))
                {
                    await CreateAsync(place, pair.Source.Special, abort);
                    context.CreatedTargets.Add(place);
                }

                return true;
            }
            catch (MailException e) when (e is { Scope: not FailureScope.Store, IsTransient: false })
            {
                first ??= e;
            }
            catch (MailException e) when (e.Scope != FailureScope.Store)
            {
                // It ends the session each time (Exchange, imap4d): another name is not tried on a server that takes it so.
                first = e;
                break;
            }
        }

        Refuse(pair, first?.Message);
        return false;
    }

    /// <summary>What was asked for together with others and went down with them is asked for alone.</summary>
    private async Task CreateAsync(FolderPath place, SpecialFolder special, CancellationToken abort)
    {
        if (begun.Remove(place, out var creating))
        {
            try
            {
                await creating;
                return;
            }
            catch (MailException e) when (e is { Scope: not FailureScope.Store, IsTransient: true })
            {
                // By itself, then.
            }
        }

        for (var broken = 1; ; broken++)
        {
            try
            {
                await context.Target.CreateFolderAsync(place, special, abort);
                return;
            }
            catch (MailException e) when (e is { Scope: not FailureScope.Store, IsTransient: true, RetryAfter: null } && broken < MostBroken)
            {
                // Once more, over another connection.
            }
        }
    }

    /// <summary>Names to try one after the other, the same in every run.</summary>
    private List<FolderPath> Candidates(FolderPath mapped)
    {
        var path = places[mapped];
        if (there.ContainsKey(path))
            return [path, TargetNames.Numbered(path, 2)];
        for (var level = 1; level < path.Levels.Length;)
        {
            var isClosed = there.TryGetValue(new FolderPath(path.Levels[..level]), out var above) && !above.HoldsFolders;
            (path, level) = isClosed ? (TargetNames.Beside(path, level), 1) : (path, level + 1);
        }

        var candidates = new List<FolderPath> { path, TargetNames.Strict(path) };
        if (path.Levels.Length > 1)
            candidates.Add(TargetNames.Beside(path, path.Levels.Length - 1));
        // A server that has all folders below INBOX and no NAMESPACE to say so ("should probably be prefixed with: INBOX.").
        if (path.Levels[0] != "INBOX")
            candidates.Add(new FolderPath(["INBOX", .. path.Levels]));
        return [.. candidates.Distinct()];
    }

    private async Task ListAgainAsync(CancellationToken abort)
    {
        foreach (var entry in await context.Target.ListFoldersAsync(abort))
            there[entry.Path] = entry;
    }

    /// <summary>The folder is listed as it was named, or under a name that is the same to the server and nobody else's.</summary>
    private bool IsInPlace(FolderPath mapped)
    {
        if (FollowParent(mapped))
            return Exists(places[mapped]);
        var place = places[mapped];
        if (Exists(place))
            return true;
        var same = there.Values.FirstOrDefault(f => f.HoldsMessages && TargetNames.Loose(f.Path) == TargetNames.Loose(place));
        if (same is null && !there.ContainsKey(place))
        {
            // Not listed at all, as some servers do with what is not subscribed.
            there[place] = new FolderEntry(place);
            return true;
        }

        context.CreatedTargets.Remove(place);
        if (same is not null && places.IsFree(same.Path))
        {
            places.Move(mapped, same.Path);
            return true;
        }

        places.MakeUnique(mapped);
        return Exists(places[mapped]);
    }

    /// <summary>Gives it its place below the one that its parent has by now. False when that is nothing new.</summary>
    private bool FollowParent(FolderPath mapped)
    {
        var wish = places.PreferredPath(mapped);
        if (wishes.TryGetValue(mapped, out var known) && known.Equals(wish))
            return false;
        wishes[mapped] = wish;
        context.CreatedTargets.Remove(places[mapped]);
        places.Move(mapped, wish);
        return true;
    }

    private void Refuse(FolderPair pair, string? why)
    {
        refused.Add(pair.Target);
        context.Report.Problem(new Problem(FailureScope.Folder, pair.Source.Path, null, Reasons.Create, $"{pair.Target}: {why}"));
    }
}
