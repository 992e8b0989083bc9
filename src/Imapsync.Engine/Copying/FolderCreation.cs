using Imapsync.Engine.Folders;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Imap;

namespace Imapsync.Engine.Copying;

/// <summary>
/// Creates the folders that the target lacks, under other names where the target refuses the mapped name. The final names are read from a
/// new listing, because only the listing shows which names a server treats as the same.
/// </summary>
/// <param name="there">The target's folders by path; updated as folders are created.</param>
internal sealed class FolderCreation(JobContext context, TargetPathMap places, Dictionary<FolderPath, FolderEntry> there)
{
    private const int MostRounds = 4;
    private const int MostAtOnce = 64;

    /// <summary>
    /// If the session ended this many times during the same CREATE, that CREATE is taken as the cause and not sent again.
    /// </summary>
    private const int MostBroken = 2;

    private readonly HashSet<FolderPath> refused = [];
    private readonly Dictionary<FolderPath, Task> begun = [];
    private readonly Dictionary<FolderPath, FolderPath> wishes = [];

    /// <summary>
    /// Creates the missing folders. Returns the mapped paths for which no folder could be created; each of them is reported.
    /// </summary>
    public async Task<IReadOnlySet<FolderPath>> RunAsync(IReadOnlyList<FolderPair> mapped, CancellationToken abort)
    {
        // Parents are created first: a folder below a parent that got another name is created below that name.
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

    /// <summary>
    /// Sends CREATE for several folders of the same depth at once, each with the first name to try. The results are evaluated one by one
    /// later.
    /// </summary>
    private async Task CreateTogetherAsync(FolderPair[] level, CancellationToken abort)
    {
        foreach (var pair in level)
        {
            var place = Candidates(pair.Target)[0];
            if (place.Equals(places[pair.Target]) && !Exists(place) && !begun.ContainsKey(place))
                begun.Add(place, BeginAsync(place, pair.Source.Special));
        }

        await Task.WhenAll(begun.Values).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

        // The async wrapper turns a synchronous exception into a failed task, so that an immediate refusal is handled like one that arrives
        // later.
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
                // This CREATE ends the session each time (seen with Exchange and imap4d), so no other name is tried.
                first = e;
                break;
            }
        }

        Refuse(pair, first?.Message);
        return false;
    }

    /// <summary>Creates one folder. A CREATE that failed transiently when sent together with others is sent again alone.</summary>
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
                // The loop below sends the CREATE alone.
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
                // After a transient failure, such as a broken connection, the CREATE is sent again over another connection.
            }
        }
    }

    /// <summary>Returns the names to try for a folder, in order. They are the same in every run.</summary>
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
        // This candidate is for servers that keep all folders below INBOX and do not support NAMESPACE. Such a server refuses other names
        // with the text "should probably be prefixed with: INBOX."
        if (path.Levels[0] != "INBOX")
            candidates.Add(new FolderPath(["INBOX", .. path.Levels]));
        return [.. candidates.Distinct()];
    }

    private async Task ListAgainAsync(CancellationToken abort)
    {
        foreach (var entry in await context.Target.ListFoldersAsync(abort))
            there[entry.Path] = entry;
    }

    /// <summary>
    /// Returns true if the target lists the folder under its intended name. A name that the server treats as the same also counts, if no
    /// other pair has it.
    /// </summary>
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
            // Some servers do not list folders that are not subscribed, so a folder missing from the listing is taken as created.
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

    /// <summary>Moves the folder below the current name of its parent. Returns false if its path did not change.</summary>
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
