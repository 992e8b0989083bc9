using System.Buffers.Text;
using System.Text.Json;

namespace Imapsync.Engine.SigningIn;

/// <summary>
/// The claims of an access token that is a JWT. Its signature is not verified, since the claims only explain a refusal and decide nothing.
/// </summary>
/// <param name="Audiences">The services the token is intended for (<c>aud</c>).</param>
/// <param name="Scopes">The permissions that the token grants: <c>scp</c>, <c>scope</c> or <c>roles</c>.</param>
internal sealed record TokenClaims(IReadOnlyList<string> Audiences, IReadOnlyList<string> Scopes)
{
    private const int LongestText = 200;

    public static TokenClaims None { get; } = new([], []);

    public static TokenClaims Read(string token)
    {
        if (token.Split('.') is not [_, var payload, _])
            return None;
        try
        {
            using var json = JsonDocument.Parse(Base64Url.DecodeFromChars(payload));
            return json.RootElement.ValueKind != JsonValueKind.Object
                ? None
                : new TokenClaims(Texts(json.RootElement, "aud"), [.. Texts(json.RootElement, "scp"), .. Texts(json.RootElement, "scope"), .. Texts(json.RootElement, "roles")]);
        }
        catch (Exception e) when (e is JsonException or FormatException)
        {
            // Most access tokens are opaque to the client, so no claims are returned.
            return None;
        }
    }

    private static string[] Texts(JsonElement json, string name) => !json.TryGetProperty(name, out var value)
        ? []
        : value.ValueKind switch
        {
            JsonValueKind.String => [Clean(value.GetString()!)],
            JsonValueKind.Array => [.. value.EnumerateArray().Where(v => v.ValueKind == JsonValueKind.String).Select(v => Clean(v.GetString()!))],
            _ => [],
        };

    private static string Clean(string text) => string.Concat(text.Where(c => !char.IsControl(c)).Take(LongestText));
}
