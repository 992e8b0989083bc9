using System.Collections.Immutable;
using Imapsync.CommandLine.Output;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Providers;
using Imapsync.Imap;

namespace Imapsync.CommandLine.Setup;

/// <param name="Messages">
/// The number of messages; null if the folder could not be examined, which a run will report.
/// </param>
/// <param name="Bytes">The size in octets; null when unknown, or when determining it would take too long.</param>
internal sealed record FolderLine(FolderEntry Folder, long? Messages, long? Bytes);

/// <summary>An overview of an account's folders, for a person who decides what to copy.</summary>
internal sealed record FolderOverview(ImmutableArray<FolderLine> Folders)
{
    /// <summary>The most messages whose sizes are added up, since this requires listing every message.</summary>
    private const long MostToAddUp = 200_000;

    public static async Task<FolderOverview> ReadAsync(Endpoint endpoint, HostContext surroundings, CancellationToken cancellationToken)
    {
        var context = new StoreContext(surroundings.Time, _ => { });
        await using var store = await surroundings.OpenStore.OpenAsync(endpoint, context, cancellationToken);
        var lines = new List<FolderLine>();
        var total = 0L;
        foreach (var folder in (await store.ListFoldersAsync(cancellationToken)).Where(f => f is { HoldsMessages: true, IsForeign: false }).OrderBy(f => !f.Path.IsInbox).ThenBy(f => f.Path))
        {
            try
            {
                var messages = (folder.Status ?? await store.GetStatusAsync(folder.Path, cancellationToken)).Messages;
                total += messages;
                lines.Add(new FolderLine(folder, messages, total > MostToAddUp ? null : await SizeAsync(store, folder.Path, messages, cancellationToken)));
            }
            catch (MailException e) when (e.Scope == FailureScope.Folder)
            {
                lines.Add(new FolderLine(folder, null, null));
            }
        }

        return new FolderOverview([.. lines]);
    }

    /// <summary>
    /// Returns globs for the folders that most people don't want to copy: spam, deleted mail, and folders without mail. A folder name with
    /// a wildcard is not proposed, because the glob would exclude other folders too.
    /// </summary>
    public ImmutableArray<string> Proposal(Provider? provider) =>
    [
        .. Folders.Where(f => !f.Folder.Path.IsInbox && UseOf(f.Folder) is (SpecialFolder.Junk or SpecialFolder.Trash))
            .Select(f => f.Folder.Path.ToString()).Where(name => name.AsSpan().IndexOfAny('*', '?') < 0),
        .. (provider?.LeaveOut ?? []).Where(g => Folders.Any(f => new FolderGlob(g).Matches(f.Folder.Path))),
    ];

    public void Print(TextWriter output)
    {
        List<string[]> rows = [["FOLDER", "MESSAGES", "SIZE"]];
        foreach (var line in Folders)
            rows.Add([TerminalText.Escape(line.Folder.Path.ToString()), line.Messages is { } messages ? Quantities.Count(messages) : "-", line.Bytes is { } bytes ? Quantities.Octets(bytes) : "-"]);
        rows.Add(["in all", Quantities.Count(Folders.Sum(f => f.Messages ?? 0)), Folders.All(f => f.Bytes is not null) ? Quantities.Octets(Folders.Sum(f => f.Bytes!.Value)) : "-"]);
        TextTable.Print(rows, leftColumns: 1, output);
    }

    /// <summary>Returns a folder's special use from its attribute, or else from its name.</summary>
    private static SpecialFolder UseOf(FolderEntry folder) => folder.Special == SpecialFolder.None ? SpecialFolderNames.UseOf(folder.Path) : folder.Special;

    private static async Task<long> SizeAsync(IMessageStore store, FolderPath path, long messages, CancellationToken cancellationToken)
    {
        if (messages == 0)
            return 0;
        await using var folder = await store.OpenAsync(path, cancellationToken);
        var bytes = 0L;
        await foreach (var message in folder.ListAsync(new ListRequest(WithDateAndSize: true), cancellationToken))
            bytes += Math.Max(0, message.Size);
        return bytes;
    }
}
