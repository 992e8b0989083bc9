using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Imap;

internal sealed partial class ImapWritableFolder
{
    /// <summary>Decides what a refusal means: for this message, and for those that come after.</summary>
    private async Task RefuseAsync(SentMessage message, StatusReply reply, CancellationToken cancellationToken)
    {
        if (reply.Has(ResponseCodeKind.TryCreate))
        {
            await GuardAsync(Client.CreateAsync(WireName, null, cancellationToken), "creating again");
            throw new MailException(FailureScope.Folder, true, $"{Path} was gone and has been created: {reply}");
        }

        if (reply.Kind == StatusKind.Bad)
        {
            // After BAD to a literal that went unasked the connection ends; what is asked for first costs no connection.
            mustReplace |= !message.Outgoing.AskFirst;
            memory.AskFirst = true;
        }

        var refusal = Refusal(reply);
        if (refusal.Scope == FailureScope.Message)
        {
            message.Fail(Judge(message, reply, refusal));
            return;
        }

        stopWith ??= refusal;
        message.Fail(new MailException(FailureScope.Message, true, refusal.Message));
    }

    /// <summary>What else can be tried with the message, or that nothing can.</summary>
    private MailException Judge(SentMessage message, StatusReply reply, MailException refusal)
    {
        if (refusal.IsTransient)
            return refusal;
        var trouble = memory.About(message.Source);
        var wanted = RefusalClassifier.Classify(reply).Kind switch
        {
            RefusalKind.NoFinalLineEnd => MessageRepair.FinalLineEnd,
            RefusalKind.Malformed when Context.Repair => MessageRepair.Sanitized,
            _ => MessageRepair.None,
        };
        if (wanted != MessageRepair.None && !trouble.Repair.HasFlag(wanted) && message.Outgoing.Length <= MessageRepairing.MaxBytes)
        {
            trouble.Repair |= wanted;
            return new MailException(FailureScope.Message, true, refusal.Message);
        }

        if (NextTrial(message, trouble.Flags) is { } next)
        {
            trouble.Flags = next;
            return new MailException(FailureScope.Message, true, $"refused with the flags {message.Outgoing.Flags}: {refusal.Message}");
        }

        // Should the folder have to be begun again, this one is not asked again.
        trouble.FinalWords = refusal.Message;
        if (RefusalClassifier.Classify(reply).Kind == RefusalKind.Other)
            memory.Row.Refused(reply.ToString());
        return refusal;
    }

    /// <summary>What is left out of a message's flags next; null where they can't be what it is refused for.</summary>
    private static FlagTrial? NextTrial(SentMessage message, FlagTrial tried)
    {
        var flags = message.Outgoing.Flags;
        if (flags.IsEmpty)
            return null;
        var plain = PlainKeywords(flags).Count();
        if (tried == FlagTrial.All && plain > 0 && plain < flags.Keywords.Length)
            return FlagTrial.WithPlainKeywords;
        return !flags.Keywords.IsEmpty ? FlagTrial.WithoutKeywords : FlagTrial.WithoutFlags;
    }

    private static MailException Refusal(StatusReply reply)
    {
        const string what = "the server refuses the message";
        // To an APPEND, LIMIT is about this message: its flags, its lines, its size (RFC 5530 §3).
        if (reply.Has(ResponseCodeKind.Limit) && RefusalClassifier.Classify(reply with { Code = null }).Kind is RefusalKind.Other or RefusalKind.TooBig)
            return new MailException(FailureScope.Message, false, $"{what}: {reply}");
        // Many servers have words of their own for a full mailbox, and no code.
        if (RefusalClassifier.Classify(reply).Kind == RefusalKind.Other && RefusalClassifier.IsAboutSpace(reply))
            return new MailException(FailureScope.Store, false, $"{what}: {reply}") { Kind = FailureKind.Quota };
        return ImapFailure.Translate(new ImapCommandException("APPEND", reply), FailureScope.Message, what);
    }

    /// <summary>
    /// A connection ended over these. What breaks it each time (imap4d: a message of 0 octets) is found by sending it alone,
    /// and given up when it has done so several times; else it would keep all others from being copied.
    /// </summary>
    private void Suspect(Exception e, List<SentMessage> unanswered)
    {
        if (!ImapFailure.IsUnexplained(e))
            return;
        memory.BrokeOver(unanswered.Sum(m => m.Outgoing.Length));
        foreach (var message in unanswered)
        {
            var trouble = memory.About(message.Source);
            if (unanswered.Count == 1 && trouble.IsSuspect && ++trouble.BrokenAlone >= ImapFailure.MaxBrokenAlone)
                trouble.FinalWords = $"the connection ended each time the message was appended: {e.Message}";
            trouble.IsSuspect = true;
        }
    }
}
