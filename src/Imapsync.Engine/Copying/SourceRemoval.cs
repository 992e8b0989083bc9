using Imapsync.Engine.Folders;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Matching;
using Imapsync.Engine.Progress;
using Imapsync.Engine.State;
using Imapsync.Imap;

namespace Imapsync.Engine.Copying;

/// <summary>
/// Deletes copied messages at the source, if the settings ask for it (<c>after_copy: delete</c>). It runs when the folder's checkpoint is
/// durable. Only messages whose copies the target now lists are deleted. A message copied by an earlier run must also have the same octets
/// on both sides, because its UID or file name may meanwhile belong to other mail.
/// </summary>
internal sealed class SourceRemoval(JobContext context, FolderPair pair)
{
    private const int ReadTogether = 50;

    /// <param name="target">The target folder, open for writing.</param>
    /// <param name="checkpoint">The pair's checkpoint, already committed.</param>
    /// <param name="justCopied">
    /// UIDs of the messages that this run was to copy after it had opened <paramref name="source"/>; some of them may have failed.
    /// </param>
    /// <returns>False if a copied message remains at the source, so that the next run has to scan the pair again.</returns>
    public async Task<bool> RunAsync(IMessageFolder source, IMessageFolder target, ICheckpoint checkpoint, IEnumerable<Uid> justCopied, CancellationToken abort)
    {
        // An unknown UIDVALIDITY never counts as equal, not even to another unknown one.
        if (target.Status.UidValidity.IsNone || checkpoint.TargetValidity != target.Status.UidValidity
            || source.Status.UidValidity.IsNone || checkpoint.SourceValidity != source.Status.UidValidity)
        {
            context.Report.Note(pair.Source.Path, "source or target tells no UIDVALIDITY, so nothing is deleted at the source");
            return false;
        }

        var brought = checkpoint.Messages.Where(m => m.Settlement is Settlement.Copied or Settlement.Adopted && !m.Target.IsNone).ToList();
        var there = new Dictionary<Uid, MessageInfo>();
        if (brought.Count > 0)
        {
            await foreach (var message in target.ListAsync(new ListRequest(new UidSet(brought.Select(m => m.Target)), WithDateAndSize: true), abort))
                there[message.Uid] = message;
        }

        var gone = brought.Count(m => !there.ContainsKey(m.Target));
        var fresh = justCopied.ToHashSet();
        var listed = brought.Where(m => there.ContainsKey(m.Target)).ToLookup(m => m.Settlement == Settlement.Copied && fresh.Contains(m.Source));
        var safe = listed[true].Select(m => m.Source).ToList();
        foreach (var group in listed[false].Chunk(ReadTogether))
            safe.AddRange(await SameAsync(source, target, group, there, abort));
        var kept = brought.Count - safe.Count;
        if (gone > 0)
            context.Report.Note(pair.Source.Path, $"kept at the source, since the target does not list their copies any more, messages: {gone}");
        // A message is reported if its octets differ or could not be compared, because it may be other mail that exists nowhere else.
        if (kept > gone)
        {
            context.Report.Problem(new Problem(
                FailureScope.Folder, pair.Source.Path, null, Reasons.OtherMail, $"kept at the source, since it could not be shown that their copies have the same octets, messages: {kept - gone}; some may be other mail that is not at the target"));
        }

        try
        {
            var removed = safe.Count == 0 ? 0 : await source.RemoveCopiedAsync(new UidSet(safe), abort);
            if (removed > 0)
                context.Report.Note(pair.Source.Path, $"deleted at the source, as after_copy says, messages: {removed}");
            return kept == 0;
        }
        catch (MailException e) when (e.Scope != FailureScope.Store)
        {
            context.Report.Problem(new Problem(FailureScope.Folder, pair.Source.Path, null, Reasons.Removal, e.Message));
            return false;
        }
    }

    private static async Task<IEnumerable<Uid>> SameAsync(
        IMessageFolder source, IMessageFolder target, IReadOnlyList<SettledMessage> settled, Dictionary<Uid, MessageInfo> there, CancellationToken abort)
    {
        var listed = new List<MessageInfo>();
        await foreach (var message in source.ListAsync(new ListRequest(new UidSet(settled.Select(m => m.Source))), abort))
            listed.Add(message);
        var ours = await MessageContents.ReadAsync(source, listed, withDigest: true, abort);
        var theirs = await MessageContents.ReadAsync(target, [.. settled.Select(m => there[m.Target]).OrderBy(m => m.Uid)], withDigest: true, abort);
        return settled.Where(m => ours.TryGetValue(m.Source, out var a) && theirs.TryGetValue(m.Target, out var b)
            && a.Failure is null && b.Failure is null && a.Length == b.Length && a.Digest == b.Digest).Select(m => m.Source);
    }
}
