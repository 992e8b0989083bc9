using System.Globalization;

namespace Imapsync.Engine.Mail;

/// <summary>A message as its owner knows it, decoded and short. For people alone; nothing is decided by it. Null is what its header does not tell.</summary>
/// <param name="FromName">The first author's.</param>
public sealed record Envelope(string? Subject, string? FromName, string? FromAddress, DateTimeOffset? Date)
{
    /// <summary><c>Jörg &lt;j@example.org&gt;</c>, or the one that there is.</summary>
    public string? From => (FromName, FromAddress) switch
    {
        (null, _) => FromAddress,
        (_, null) => FromName,
        _ => $"{FromName} <{FromAddress}>",
    };

    /// <summary><c>"Subject" from Name, 2026-11-28</c>, as much of it as there is; empty for nothing.</summary>
    public override string ToString()
    {
        var subject = Subject is null ? null : $"\"{Subject}\"";
        var from = (FromName ?? FromAddress) is { } who ? $"from {who}" : null;
        var message = string.Join(' ', new[] { subject, from }.Where(p => p is not null));
        return string.Join(", ", new[] { message, Date?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) }.Where(p => !string.IsNullOrEmpty(p)));
    }
}
