using System.Collections.Concurrent;
using Imapsync.Fleet.Listing;
using Imapsync.Fleet.Preflights;
using Imapsync.Fleet.Serving;
using Imapsync.Fleet.Submitting;

namespace Imapsync.Fleet.Dashboard;

/// <summary>Lists that are checked by signing in and may be submitted from there. Their rows are kept sealed, as long as the preflight is kept.</summary>
internal sealed class Imports(PreflightDesk desk, FleetStore store)
{
    private readonly ConcurrentDictionary<string, (ListForm Form, ReadBatch Batch)> kept = new(StringComparer.Ordinal);

    /// <returns>The preflight's number; null where there are as many as may be.</returns>
    public string? Begin(ListForm form, ReadBatch batch, PreflightRequest request)
    {
        foreach (var gone in kept.Keys.Where(k => desk.Find(k) is null))
            kept.TryRemove(gone, out _);
        if (desk.Begin(request, out var id) is null)
            return null;
        kept[id] = (form, batch);
        return id;
    }

    /// <summary>The list that a preflight checks, and how many of its rows make an account; null for one that was not begun here.</summary>
    public (string Name, int Accounts)? Find(string id) => desk.Find(id) is not null && kept.TryGetValue(id, out var found) ? (found.Form.Name, found.Batch.Accounts.Count) : null;

    /// <summary>Submits the list of a preflight.</summary>
    /// <param name="onlyGood">Only the rows that were found to be in order.</param>
    /// <returns>The number of its accounts; null where there is no such list.</returns>
    public async Task<(Submitted Submitted, int Accounts)?> SubmitAsync(string id, bool onlyGood, CancellationToken cancellationToken)
    {
        if (desk.Find(id) is not { } preflight || !kept.TryGetValue(id, out var found))
            return null;
        IReadOnlyList<NewAccount> accounts = found.Batch.Accounts;
        if (onlyGood)
        {
            var good = preflight.Page("ok", 0, int.MaxValue).Select(r => r.Name).ToHashSet(StringComparer.Ordinal);
            accounts = [.. accounts.Where(a => good.Contains(a.Name))];
        }

        return accounts.Count == 0 ? null : (await store.SubmitAsync(found.Form.With(found.Batch), accounts, cancellationToken), accounts.Count);
    }
}
