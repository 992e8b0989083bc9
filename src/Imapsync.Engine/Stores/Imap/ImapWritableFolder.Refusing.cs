using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Imap;

internal sealed partial class ImapWritableFolder
{
    /// <summary>Decides what a refusal means for the refused message and for the messages after it.</summary>
    private async Task RefuseAsync(SentMessage message, StatusReply reply, CancellationToken cancellationToken)
    {
        if (reply.Has(ResponseCodeKind.TryCreate))
        {
            if (await CreateAgainAsync(cancellationToken))
                throw new MailException(FailureScope.Folder, true, $"{Path} was gone and has been created: {reply}");
            // The folder exists, so the server's TRYCREATE is wrong and the refusal is about the message.
            reply = reply with { Code = null };
        }

        if (reply.Kind == StatusKind.Bad)
        {
            // After BAD to a non-synchronising literal the connection has to be dropped. After a refused synchronising literal it can still be used.
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

    /// <summary>Creates the folder; returns false if it can't be created because it is still there.</summary>
    private async Task<bool> CreateAgainAsync(CancellationToken cancellationToken)
    {
        try
        {
            await GuardAsync(Client.CreateAsync(WireName, null, cancellationToken), "creating again");
            return true;
        }
        catch (MailException e) when (e is { IsTransient: false, InnerException: ImapCommandException })
        {
            // Only STATUS shows that the folder exists, since servers refuse to create an existing folder in words of their own (Kopano).
            if (await GuardAsync(Client.StatusAsync(WireName, cancellationToken), "the status") is null)
                throw;
            return false;
        }
    }

    /// <summary>Chooses another way to send the refused message. Where there is none, records that the message is not sent again.</summary>
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

        // The reason is recorded, so that the message is not sent again if the folder is tried again after a failure.
        trouble.FinalWords = refusal.Message;
        if (RefusalClassifier.Classify(reply).Kind == RefusalKind.Other)
            memory.Row.Refused(reply.ToString());
        return refusal;
    }

    /// <summary>
    /// Returns the next smaller set of flags to send with the message; null where the message has no flags left that could be why it was refused.
    /// </summary>
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
        // In reply to an APPEND, LIMIT is about this message: its flags, its lines or its size (RFC 5530 §3).
        if (reply.Has(ResponseCodeKind.Limit) && RefusalClassifier.Classify(reply with { Code = null }).Kind is RefusalKind.Other or RefusalKind.TooBig)
            return new MailException(FailureScope.Message, false, $"{what}: {reply}");
        // Many servers report a full mailbox in words of their own, without a response code.
        if (RefusalClassifier.Classify(reply).Kind == RefusalKind.Other && RefusalClassifier.IsAboutSpace(reply))
            return new MailException(FailureScope.Store, false, $"{what}: {reply}") { Kind = FailureKind.Quota };
        return ImapFailure.Translate(new ImapCommandException("APPEND", reply), FailureScope.Message, what);
    }

    /// <summary>
    /// Records that a connection broke while these messages were being sent. A message that breaks it each time (imap4d: a message of 0
    /// octets) is found by sending it alone, and is given up after several breaks; otherwise it would keep all others from being copied.
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
