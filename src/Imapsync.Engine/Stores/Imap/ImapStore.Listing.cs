using Imapsync.Engine.Mail;
using Imapsync.Imap;
using Imapsync.Imap.Client;

namespace Imapsync.Engine.Stores.Imap;

public sealed partial class ImapStore
{
    public async Task<IReadOnlyList<FolderEntry>> ListFoldersAsync(CancellationToken cancellationToken)
    {
        await namesGate.WaitAsync(cancellationToken);
        try
        {
            var listing = await RunAsync(
                async c =>
                {
                    // The LIST reply does not depend on the namespaces, only its interpretation does, so both are requested in one round trip.
                    var asking = names is null ? AskNamespacesAsync(c, cancellationToken) : null;
                    var listed = await ListAsync(c, cancellationToken);
                    names ??= await NamesAsync(c, await asking!, cancellationToken);
                    return listed;
                },
                FailureScope.Store,
                "the folders can't be listed",
                cancellationToken);
            isListed = true;
            return Entries(listing);
        }
        finally
        {
            namesGate.Release();
        }
    }

    private static async Task<Listing> ListAsync(ImapClient client, CancellationToken cancellationToken)
    {
        var offered = client.Capabilities;
        if (offered.HasListExtended)
        {
            var extended = await OrNoneAsync(client.ListExtendedAsync("", "*", cancellationToken)) ?? [];
            // strato.de answers the extended LIST with OK and no folders, so an empty reply is not believed.
            if (extended.Count > 0)
                return new Listing(extended, [.. extended.Where(f => f.Attributes.Contains("\\Subscribed")).Select(f => f.WireName)]);
        }

        var listed = offered.HasXList && !offered.HasSpecialUse
            ? await client.XListAsync("", "*", cancellationToken)
            : await client.ListAsync("", "*", cancellationToken);
        // Subscriptions matter less than mail, so a refused LSUB is no failure.
        if (await OrNoneAsync(client.ListSubscribedAsync("", "*", cancellationToken)) is not { } subscribed)
            return new Listing(listed, null);
        return new Listing(listed, [.. subscribed.Where(f => !f.Attributes.Contains("\\Noselect")).Select(f => f.WireName)]);
    }

    /// <summary>Awaits a query; returns null where the server refused it.</summary>
    private static async Task<T?> OrNoneAsync<T>(Task<T> question)
        where T : class
    {
        try
        {
            return await question;
        }
        catch (ImapCommandException e) when (!e.IsTransient)
        {
            return null;
        }
    }

    /// <summary>
    /// Queries the namespaces; returns none where the server does not announce NAMESPACE, since some servers then drop the connection at the
    /// command.
    /// </summary>
    private static async Task<IReadOnlyList<ImapNamespace>> AskNamespacesAsync(ImapClient client, CancellationToken cancellationToken)
    {
        try
        {
            return client.Capabilities.HasNamespace ? await client.NamespaceAsync(cancellationToken) : [];
        }
        catch (ImapCommandException)
        {
            // The server announced NAMESPACE and refused it; the root's delimiter suffices.
            return [];
        }
    }

    private async Task<FolderNames> NamesAsync(ImapClient client, IReadOnlyList<ImapNamespace> namespaces, CancellationToken cancellationToken)
    {
        if (namespaces.FirstOrDefault(n => n.Kind == NamespaceKind.Personal) is { } personal)
            return new FolderNames(namespaces, personal.Delimiter, context.OnNote);
        var root = await client.ListAsync("", "", cancellationToken);
        return new FolderNames([], root.FirstOrDefault()?.Delimiter, context.OnNote);
    }

    private List<FolderEntry> Entries(Listing listing)
    {
        var (listed, subscribed) = listing;
        var hasAttributes = listed.Any(f => SpecialUse.ByAttribute(f.Attributes) != SpecialFolder.None);
        var entries = new List<FolderEntry>();
        // If several names map to one path, the first of them gets the path, and the others get a number appended. So INBOX comes first and
        // other users' folders last.
        foreach (var folder in listed.OrderBy(f => f.WireName.Equals("INBOX", StringComparison.OrdinalIgnoreCase) ? 0 : names!.IsForeign(f.WireName) ? 2 : 1)
            // Among the remaining names the order must not depend on the server: when two names decode to one path, the same one of them
            // must get a number appended in each run.
            .ThenBy(f => FolderNames.IsAsWritten(f.WireName) ? 0 : 1).ThenBy(f => f.WireName, StringComparer.Ordinal))
        {
            if (folder.Attributes.Contains("\\NonExistent") || names!.Learn(folder) is not { } path)
                continue;
            var special = path.IsInbox ? SpecialFolder.Inbox
                : hasAttributes ? SpecialUse.ByAttribute(folder.Attributes) : SpecialFolderNames.UseOf(path);
            entries.Add(new FolderEntry(
                path, !folder.Attributes.Contains("\\Noselect"), special, subscribed?.Contains(folder.WireName) == true, ToStatus(folder.Status), folder.Status?.MailboxId)
            {
                IsForeign = names.IsForeign(folder.WireName),
                KnowsSubscription = subscribed is not null,
                HoldsFolders = !folder.Attributes.Contains("\\Noinferiors"),
            });
        }

        return entries;
    }

    private async Task<string> WireNameAsync(FolderPath path, CancellationToken cancellationToken) =>
        await FindWireNameAsync(path, cancellationToken)
        ?? throw new MailException(FailureScope.Folder, false, $"there is no folder {path}") { Kind = FailureKind.Gone };

    private async Task<string?> FindWireNameAsync(FolderPath path, CancellationToken cancellationToken)
    {
        if (!isListed)
            await ListFoldersAsync(cancellationToken);
        await namesGate.WaitAsync(cancellationToken);
        try
        {
            return names!.Find(path);
        }
        finally
        {
            namesGate.Release();
        }
    }

    /// <param name="Subscribed">Wire names; null where the server refused to list them.</param>
    private sealed record Listing(IReadOnlyCollection<ListedFolder> Listed, HashSet<string>? Subscribed);
}
