using System.Collections.Concurrent;
using Imapsync.Fleet.Listing;
using Imapsync.Fleet.Preflights;
using Imapsync.Fleet.Serving;
using Imapsync.Fleet.Submitting;

namespace Imapsync.Fleet.Dashboard;

/// <summary>
/// Uploaded lists of accounts. A preflight checks each row by signing in; then the list can be submitted. The rows are kept encrypted in
/// memory, as long as the preflight.
/// </summary>
internal sealed class Imports(PreflightDesk desk, FleetStore store)
{
    private readonly ConcurrentDictionary<string, (ListForm Form, ReadBatch Batch)> kept = new(StringComparer.Ordinal);

    /// <returns>The preflight's number; null if there are already as many preflights as permitted.</returns>
    public string? Begin(ListForm form, ReadBatch batch, PreflightRequest request)
    {
        foreach (var gone in kept.Keys.Where(k => desk.Find(k) is null))
            kept.TryRemove(gone, out _);
        if (desk.Begin(request, out var id) is null)
            return null;
        kept[id] = (form, batch);
        return id;
    }

    /// <summary>
    /// Returns the name of a preflight's list and the number of its accounts. Null if there is no such preflight, or if its list was not
    /// uploaded on the web pages.
    /// </summary>
    public (string Name, int Accounts)? Find(string id) => desk.Find(id) is not null && kept.TryGetValue(id, out var found) ? (found.Form.Name, found.Batch.Accounts.Count) : null;

    /// <summary>Submits the list of a preflight.</summary>
    /// <param name="onlyGood">Whether to submit only the rows whose check succeeded.</param>
    /// <returns>The number of accounts submitted; null if there is no such list, or no account to submit.</returns>
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
