using System.Globalization;
using Imapsync.Engine.Mail;
using Imapsync.Serving.Mailboxes;
using Imapsync.Serving.Wire;

namespace Imapsync.Serving.Sessions;

internal sealed partial class ImapSession
{
    private async ValueTask ListAsync(string tag, CommandText text, bool isLsub, CancellationToken cancellationToken)
    {
        var request = ListRequestText.Parse(text, isLsub);
        if (request.Patterns is [""])
        {
            output.Line("* LIST (\\Noselect) \"/\" \"\"").Line($"{tag} OK done");
            return;
        }

        foreach (var folder in await context.Account.ListAsync(cancellationToken))
        {
            if (!request.Accepts(folder))
                continue;
            WriteListed(folder, request, isLsub);
            if (request.Status.Count > 0 && folder.HoldsMessages)
                await TryWriteStatusAsync(folder, request.Status, cancellationToken);
            await output.FlushIfFullAsync(cancellationToken);
        }

        output.Line($"{tag} OK done");
    }

    private void WriteListed(ServedFolder folder, ListRequestText request, bool isLsub)
    {
        List<string> attributes = [];
        if (!folder.HoldsMessages)
            attributes.Add("\\Noselect");
        if (!isLsub)
        {
            attributes.Add(folder.HasChildren ? "\\HasChildren" : "\\HasNoChildren");
            if (request.ShowsSubscribed && folder.IsSubscribed)
                attributes.Add("\\Subscribed");
            if (folder.Use is { } use)
                attributes.Add(use);
        }

        output.Text($"* {(isLsub ? "LSUB" : "LIST")} ({string.Join(' ', attributes)}) \"/\" ").String(folder.WireName).Line("");
    }

    /// <summary>Writes a folder's status, or nothing if the folder disappeared or can't be read (RFC 5819 §2).</summary>
    private async ValueTask TryWriteStatusAsync(ServedFolder folder, IReadOnlyList<string> items, CancellationToken cancellationToken)
    {
        try
        {
            await WriteStatusAsync(folder, items, cancellationToken);
        }
        catch (MailException e)
        {
            context.Note($"{peer}: {e.Message}");
        }
    }

    private async ValueTask StatusAsync(string tag, CommandText text, CancellationToken cancellationToken)
    {
        text.Skip(' ');
        var name = text.AString();
        text.Skip(' ');
        var items = ListRequestText.ParseStatusItems(text);
        text.End();
        await WriteStatusAsync(await context.Account.FindAsync(name, cancellationToken), items, cancellationToken);
        output.Line($"{tag} OK done");
    }

    private async ValueTask WriteStatusAsync(ServedFolder folder, IReadOnlyList<string> items, CancellationToken cancellationToken)
    {
        await using var opened = await SelectedFolder.OpenAsync(context.Account, folder, context.Fallback, Limits, cancellationToken);
        var snapshot = opened.Snapshot;
        output.Text("* STATUS ").String(folder.WireName).Text(" (");
        for (var i = 0; i < items.Count; i++)
        {
            output.Text($"{(i > 0 ? " " : "")}{items[i]} ").Number(items[i] switch
            {
                "MESSAGES" => snapshot.Count,
                "UIDNEXT" => snapshot.UidNext.Value,
                "UIDVALIDITY" => snapshot.Validity.Value,
                "UNSEEN" => snapshot.Unseen,
                _ => 0,
            });
        }

        output.Line(")");
    }

    private async ValueTask SelectAsync(string tag, CommandText text, CancellationToken cancellationToken)
    {
        text.Skip(' ');
        var name = text.AString();
        text.End();
        await DeselectAsync();
        var folder = await context.Account.FindAsync(name, cancellationToken);
        selected = await SelectedFolder.OpenAsync(context.Account, folder, context.Fallback, Limits, cancellationToken);
        var snapshot = selected.Snapshot;
        output.Line($"* FLAGS ({string.Join(' ', (string[])["\\Answered", "\\Flagged", "\\Deleted", "\\Seen", "\\Draft", .. snapshot.Keywords])})")
            .Line("* OK [PERMANENTFLAGS ()] nothing can be changed")
            .Line(string.Create(CultureInfo.InvariantCulture, $"* {snapshot.Count} EXISTS"))
            .Line("* 0 RECENT");
        if (snapshot.FirstUnseen is >= 0 and var unseen)
            output.Line(string.Create(CultureInfo.InvariantCulture, $"* OK [UNSEEN {unseen + 1}] first unseen"));
        output.Line($"* OK [UIDVALIDITY {snapshot.Validity}] generation of the UIDs").Line($"* OK [UIDNEXT {snapshot.UidNext}] the next one").Line($"{tag} OK [READ-ONLY] selected");
    }

    /// <summary>IDLE (RFC 2177). The selected folder is a snapshot that never changes, so there is nothing to report.</summary>
    private async ValueTask IdleAsync(string tag, CancellationToken cancellationToken)
    {
        output.Line("+ idling");
        await output.FlushAsync(cancellationToken);
        var line = await reader.ReadPlainLineAsync(Limits.IdleTime, cancellationToken) ?? throw new ConversationEndException("idle no more");
        output.Line(line.Trim().Equals("DONE", StringComparison.OrdinalIgnoreCase) ? $"{tag} OK done" : $"{tag} BAD IDLE ends with DONE");
    }
}
