using System.Globalization;
using Imapsync.Fleet.Listing;

namespace Imapsync.Fleet.Dashboard;

/// <summary>An account as the pages show it. Pages and their live updates both take their texts from here, so that they agree.</summary>
internal sealed class AccountLine(AccountView account)
{
    public string Status => Words.Status(account);

    public string Copied => account.Planned > 0 ? $"{Words.Number(account.Copied)} of {Words.Number(account.Planned)}" : Words.Number(account.Copied);

    public string Size => Words.Size(account.Bytes);

    public string Problems => account.Problems == 0 ? "" : Words.Number(account.Problems);

    public string Ended => Words.Time(account.Ended);

    public string Note => account.Folder is { Length: > 0 } folder ? $"{folder} · {account.Worker}" : account.Problem ?? "";

    public string Attempts => Words.Number(account.Attempt);

    /// <summary>
    /// The time that the page shows: when a waiting account is due, when a running account's attempt began, or when the last attempt ended.
    /// </summary>
    public string When => account switch
    {
        { Status: AccountStatus.Due, Attempt: > 0 } => $"due {Words.Time(account.DueAt)}",
        { Status: AccountStatus.Due } => "waits for its turn",
        { Status: AccountStatus.Ready or AccountStatus.Running, Began: { } began } => $"begun {Words.Time(began)}",
        { Ended: { } ended } => $"ended {Words.Time(ended)}",
        _ => "not begun yet",
    };

    /// <summary>The texts that an open page updates, each with the name in its <c>data-live</c> attribute.</summary>
    public IEnumerable<(string Name, string Text)> Texts =>
    [
        (Name("status"), Status), (Name("copied"), Copied), (Name("size"), Size), (Name("problems"), Problems), (Name("ended"), Ended), (Name("note"), Note),
        (Name("progress"), Share), (Name("attempts"), Attempts), (Name("when"), When),
    ];

    /// <summary>
    /// The share of messages copied, in percent. Always 100 for an account that is done, because messages already at the target do not
    /// count as copied.
    /// </summary>
    public string Share => account.Status == AccountStatus.Done ? "100" : Words.Percent(account.Copied, account.Planned);

    public string Name(string what) => string.Create(CultureInfo.InvariantCulture, $"account-{account.Id}-{what}");
}

/// <summary>A batch as the pages show it.</summary>
internal sealed class BatchLine(BatchView batch)
{
    /// <summary>The order in which counts are shown.</summary>
    public static IReadOnlyList<AccountStatus> Statuses { get; } = Enum.GetValues<AccountStatus>();

    public long Total => batch.Counts.Values.Sum();

    public string Finished => $"{Words.Number(Count(AccountStatus.Done))} of {Words.Number(Total)} done";

    public string Share => Words.Percent(Count(AccountStatus.Done), Total);

    public string Copied => $"{Words.Number(batch.Copied)} messages, {Words.Size(batch.Bytes)}";

    public string CountText(AccountStatus status) => Words.Number(Count(status));

    public string Name(string what) => string.Create(CultureInfo.InvariantCulture, $"batch-{batch.Id}-{what}");

    public long Count(AccountStatus status) => batch.Counts.GetValueOrDefault(status);

    /// <summary>One sentence about all batches. Screen readers read it aloud when it changes.</summary>
    public static string Summary(IReadOnlyList<BatchView> batches)
    {
        string Sum(params AccountStatus[] statuses) => Words.Number(batches.Sum(b => statuses.Sum(s => b.Counts.GetValueOrDefault(s))));
        return $"{Sum(AccountStatus.Running)} running, {Sum(AccountStatus.Due, AccountStatus.Ready)} waiting, {Sum(AccountStatus.Done)} done, {Sum(AccountStatus.Failed, AccountStatus.Incomplete)} failed or incomplete.";
    }

    public static IEnumerable<(string Name, string Text)> Texts(IReadOnlyList<BatchView> batches) =>
        batches.Select(b => new BatchLine(b)).SelectMany(l => l.OwnTexts()).Append(("batches-summary", Summary(batches)));

    private IEnumerable<(string Name, string Text)> OwnTexts() =>
        Statuses.Select(s => (Name(Words.Status(s)), CountText(s))).Concat([(Name("finished"), Finished), (Name("share"), Share), (Name("copied"), Copied)]);
}
