using System.Text.Json;

namespace Imapsync.Imap;

/// <summary>
/// A server's explanation for refusing a token, sent before the tagged NO: JSON as in RFC 7628 §3.2.2. The texts are truncated and
/// contain no control characters.
/// </summary>
/// <param name="Status"><c>invalid_token</c>, <c>insufficient_scope</c>, or an HTTP status such as <c>401</c>; null if missing.</param>
/// <param name="Scope">The scope that a token must have; null if missing.</param>
public sealed record TokenRefusal(string? Status, string? Scope)
{
    private const int LongestText = 200;

    /// <summary>The URL of the authorization server's configuration (<c>openid-configuration</c>); null if missing.</summary>
    public string? Configuration { get; init; }

    /// <summary>Reads the JSON of a challenge; returns null if the challenge is not a JSON object.</summary>
    internal static TokenRefusal? TryRead(string challenge)
    {
        try
        {
            using var json = JsonDocument.Parse(challenge);
            if (json.RootElement.ValueKind != JsonValueKind.Object)
                return null;
            return new TokenRefusal(Text(json.RootElement, "status"), Text(json.RootElement, "scope"))
            {
                Configuration = Text(json.RootElement, "openid-configuration"),
            };
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Returns a copy with the function applied to each text.</summary>
    internal TokenRefusal With(Func<string, string> change) => new(Change(Status, change), Change(Scope, change)) { Configuration = Change(Configuration, change) };

    private static string? Change(string? text, Func<string, string> change) => text is null ? null : change(text);

    private static string? Text(JsonElement json, string name)
    {
        if (!json.TryGetProperty(name, out var value))
            return null;
        var text = value.ValueKind switch { JsonValueKind.String => value.GetString()!, JsonValueKind.Number => value.GetRawText(), _ => "" };
        text = string.Concat(text.Where(c => !char.IsControl(c)).Take(LongestText)).Trim();
        return text.Length == 0 ? null : text;
    }
}
