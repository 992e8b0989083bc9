using System.Text.Json;

namespace Imapsync.Imap;

/// <summary>
/// What a server says of a token that it refuses, before the tagged NO: the JSON of RFC 7628 §3.2.2 after OAUTHBEARER, the like of it after
/// XOAUTH2. Texts are the server's, cut short, without control characters.
/// </summary>
/// <param name="Status"><c>invalid_token</c>, <c>insufficient_scope</c>, an HTTP status such as <c>401</c>; null where it says none.</param>
/// <param name="Scope">The scope that a token must have, where it says so.</param>
public sealed record TokenRefusal(string? Status, string? Scope)
{
    private const int LongestText = 200;

    /// <summary>Where the server's own authorization server describes itself (<c>openid-configuration</c>).</summary>
    public string? Configuration { get; init; }

    /// <summary>Null for what is no such object.</summary>
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

    /// <summary>The same with each text changed.</summary>
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
