using Imapsync.Engine.Folders;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Copying;

/// <summary>
/// Gives other users the access rights on the target's folders that they have on the source's. Rights are only added, never taken away, and
/// the owner's rights are not touched. A right that can't be carried over is reported; it does not fail the job.
/// </summary>
internal sealed class AccessCopy(JobContext context)
{
    private readonly IAccessControl? source = context.Source.AccessControl;
    private readonly IAccessControl? target = context.Target.AccessControl;

    public async Task CopyAsync(FolderPair pair, CancellationToken abort)
    {
        if (context.Job.Acl != AclPolicy.Copy || context.Job.IsRestore)
            return;
        if (source is null || target is null)
        {
            context.Report.Note(null, $"access rights are not copied: the {(source is null ? "source" : "target")} has none (ACL, RFC 4314)");
            return;
        }

        try
        {
            await context.RetryAsync(pair.Source.Path.ToString(), c => CopyAsync(pair, source, target, c), () => 0, abort);
        }
        catch (MailException e) when (e is { Scope: not FailureScope.Store, IsTransient: false })
        {
            context.Report.Note(pair.Source.Path, $"access rights are not copied: {e.Message}");
        }
    }

    private async Task<bool> CopyAsync(FolderPair pair, IAccessControl from, IAccessControl to, CancellationToken abort)
    {
        var wanted = Translate(await from.ListAsync(pair.Source.Path, abort), from.Owner, to.Owner);
        if (wanted.Count == 0)
            return true;
        var there = (await to.ListAsync(pair.Target, abort)).ToLookup(e => e.Identifier, e => e.Rights);
        foreach (var (identifier, rights) in wanted)
        {
            var missing = string.Concat(rights.Except(there[identifier].SelectMany(r => r)));
            if (missing.Length == 0)
                continue;
            try
            {
                var lost = await to.AddAsync(pair.Target, new AccessEntry(identifier, missing), abort);
                if (lost.Length > 0)
                    context.Report.Note(pair.Source.Path, $"{identifier} can't have the rights {lost} at the target");
            }
            catch (MailException e) when (e is { Scope: not FailureScope.Store, IsTransient: false })
            {
                context.Report.Note(pair.Source.Path, $"{identifier} does not get the rights {missing}: {e.Message}");
            }
        }

        return true;
    }

    /// <summary>
    /// Converts the access entries to the target's user identifiers and leaves out the entries of both mailboxes' owners. If two entries
    /// get the same identifier, it receives the rights of both. Negative entries ("-name") stay negative.
    /// </summary>
    private Dictionary<string, string> Translate(IReadOnlyList<AccessEntry> entries, string owner, string targetOwner)
    {
        var translated = new Dictionary<string, string>();
        foreach (var (identifier, rights) in entries)
        {
            var isDenial = identifier.StartsWith('-');
            var name = isDenial ? identifier[1..] : identifier;
            if (name is "owner" || name == owner)
                continue;
            var mapped = context.Job.AclMap.GetValueOrDefault(name, name);
            if (mapped.Length == 0 || mapped == targetOwner)
                continue;
            var key = isDenial ? "-" + mapped : mapped;
            translated[key] = string.Concat(translated.GetValueOrDefault(key, "").Union(rights));
        }

        return translated;
    }
}
