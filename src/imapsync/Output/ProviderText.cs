using Imapsync.Engine.Providers;

namespace Imapsync.CommandLine.Output;

/// <summary>Presents a provider's facts to people and programs.</summary>
internal static class ProviderText
{
    public static string SignIn(Provider row) => string.Join(" or ", Words(row));

    public static IEnumerable<string> Words(Provider row)
    {
        if (row.SignIn.HasFlag(Engine.Providers.SignIn.Password))
            yield return "password";
        if (row.SignIn.HasFlag(Engine.Providers.SignIn.AppPassword))
            yield return "app password";
        if (row.SignIn.HasFlag(Engine.Providers.SignIn.OAuth))
            yield return "OAuth";
    }

    /// <summary>Returns the known facts, each with a label and a text.</summary>
    public static IEnumerable<(string Label, string Text)> Facts(Provider row)
    {
        yield return ("server", row.Address is null ? "your own, given by url" : row.Address + (row.IsSelfSigned ? ", certificate to be pinned by tls_fingerprint" : ""));
        yield return ("sign-in", SignIn(row) + (row.OAuth is null ? "" : $" (oauth: {row.OAuth})"));
        yield return ("user", row.User == UserForm.Address ? "the whole address" : "the part before the @");
        if (row.MaxConnections is { } most)
            yield return ("connections", $"at most {most}");
        if (row.BytesReadPerDay is { } read && row.BytesWrittenPerDay is { } written)
            yield return ("a day", $"{Quantities.Octets(read)} read, {Quantities.Octets(written)} written");
        if (!row.LeaveOut.IsEmpty)
            yield return ("no mail in", string.Join(", ", row.LeaveOut));
        if (row.HasLabels)
            yield return ("labels", "a message lies in many folders");
        if (!row.Domains.IsEmpty)
            yield return ("addresses", string.Join(", ", row.Domains));
        if (row.Advice.Length > 0)
            yield return ("first", row.Advice);
        if (row.Link is { } link)
            yield return ("see", link);
    }
}

/// <summary>The JSON document of <c>providers --output json</c>.</summary>
internal sealed record ProvidersJson(IReadOnlyList<ProviderJson> Providers);

/// <param name="Host">The IMAP host; null for server software. Unknown values are null too.</param>
internal sealed record ProviderJson(
    string Name, string Title, string? Host, int? Port, string? Tls, IReadOnlyList<string> SignIn, string? Oauth, string User, int? MaxConnections,
    long? BytesReadPerDay, long? BytesWrittenPerDay, bool Labels, bool SelfSigned, IReadOnlyList<string> LeaveOut, IReadOnlyList<string> Domains,
    IReadOnlyList<string> Exchangers, IReadOnlyList<string> Quirks, string? Advice, string? Link)
{
    public static ProviderJson Of(Provider row) => new(
        row.Name, row.Title, row.Host, row.Host is null ? null : row.Port, row.Host is null ? null : row.UsesStartTls ? "starttls" : "implicit",
        [.. ProviderText.Words(row)], row.OAuth, row.User == UserForm.Address ? "address" : "local part", row.MaxConnections,
        row.BytesReadPerDay, row.BytesWrittenPerDay, row.HasLabels, row.IsSelfSigned, row.LeaveOut, row.Domains, row.Exchangers, row.Quirks, row.Advice.Length == 0 ? null : row.Advice, row.Link);
}
