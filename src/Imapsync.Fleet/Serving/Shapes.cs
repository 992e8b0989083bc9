using Imapsync.Fleet.Listing;

namespace Imapsync.Fleet.Serving;

/// <summary>The answer to a submitted list, which was stored or only checked.</summary>
/// <param name="Id">The list's number; null if it was only checked.</param>
internal sealed record SubmitAnswer(long? Id, string Name, int Accounts, IReadOnlyList<string> Notes);

/// <summary>Why a request was refused.</summary>
/// <param name="Errors">What is wrong, each with its file, line and remedy as far as known.</param>
internal sealed record Refusal(string Message, IReadOnlyList<string> Errors);

/// <param name="Next">The value of <c>after</c> for the next page; null on the last page.</param>
internal sealed record AccountsAnswer(IReadOnlyList<AccountView> Accounts, string? Next);

/// <param name="Report">The last report; null if there is none yet.</param>
/// <param name="Log">The last log lines, newest first.</param>
internal sealed record AccountAnswer(AccountView Account, System.Text.Json.JsonElement? Report, IReadOnlyList<AccountEvent> Events, IReadOnlyList<LogLine> Log);

/// <summary>
/// An action and the accounts it applies to: of a batch, of a status, with a text, with these numbers. All given conditions must hold.
/// </summary>
internal sealed record ActionRequest(AccountAction Action, long? Batch, IReadOnlyList<AccountStatus>? Statuses, string? Text, IReadOnlyList<long>? Ids)
{
    public AccountFilter Filter => new(Batch, Statuses is { Count: > 0 } ? Statuses : null, Text, Ids is { Count: > 0 } ? Ids : null);

    public bool IsForAll => Batch is null && Statuses is not { Count: > 0 } && string.IsNullOrEmpty(Text) && Ids is not { Count: > 0 };
}

internal sealed record ActionAnswer(int Accounts);

/// <param name="Connections">The most connections at once; null for no limit, 0 if the host must not be used.</param>
internal sealed record HostRequest(int? Connections);
