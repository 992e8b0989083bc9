using System.Globalization;

namespace Imapsync.Engine.Mail;

/// <summary>
/// A message's subject, author and date, decoded and shortened. For display only; no decision depends on it. A property is null where the
/// header lacks the field.
/// </summary>
/// <param name="FromName">The first author's name.</param>
public sealed record Envelope(string? Subject, string? FromName, string? FromAddress, DateTimeOffset? Date)
{
    /// <summary><c>Jörg &lt;j@example.org&gt;</c>, or the name or address alone where the other is missing.</summary>
    public string? From => (FromName, FromAddress) switch
    {
        (null, _) => FromAddress,
        (_, null) => FromName,
        _ => $"{FromName} <{FromAddress}>",
    };

    /// <summary><c>"Subject" from Name, 2026-11-28</c>, without the parts that are missing; an empty string where all are.</summary>
    public override string ToString()
    {
        var subject = Subject is null ? null : $"\"{Subject}\"";
        var from = (FromName ?? FromAddress) is { } who ? $"from {who}" : null;
        var message = string.Join(' ', new[] { subject, from }.Where(p => p is not null));
        return string.Join(", ", new[] { message, Date?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) }.Where(p => !string.IsNullOrEmpty(p)));
    }
}
