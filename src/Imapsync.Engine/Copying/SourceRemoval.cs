using Imapsync.Engine.Folders;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Matching;
using Imapsync.Engine.Progress;
using Imapsync.Engine.State;
using Imapsync.Imap;

namespace Imapsync.Engine.Copying;

/// <summary>
/// Takes from the source what was copied, where its settings ask for it (<c>after_copy: delete</c>). Asked for after the checkpoint of the whole
/// folder is durable, and only of messages that the target lists at that moment under the UIDs they were given. What this session of the
/// source did not copy itself has to have the same octets at both ends: it was at the target before (adopted), or an earlier run copied it, and
/// the source may have given its name to other mail since, or the target its UID.
/// </summary>
internal sealed class SourceRemoval(JobContext context, FolderPair pair)
{
    private const int ReadTogether = 50;

    /// <param name="target">The folder as it is open for writing.</param>
    /// <param name="checkpoint">Committed.</param>
    /// <param name="justCopied">What <paramref name="source"/>, as it is open now, was to be copied from; not all of it need have succeeded.</param>
    /// <returns>False where something of what was copied is still at the source: the next run has to look again.</returns>
    public async Task<bool> RunAsync(IMessageFolder source, IMessageFolder target, ICheckpoint checkpoint, IEnumerable<Uid> justCopied, CancellationToken abort)
    {
        // What is not known never equals what is not known.
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
        // It may be other mail under the name of what was copied, and then it is nowhere else.
        if (kept > gone)
        {
            context.Report.Problem(new Problem(
                FailureScope.Folder, pair.Source.Path, null, Reasons.OtherMail, $"kept at the source, since their copies have other octets, messages: {kept - gone}; they may be other mail that is not at the target"));
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
