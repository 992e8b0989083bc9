using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.SigningIn;

/// <summary>
/// A service account's key file as Google issues it, with the account's identity (<c>client_email</c>) and RSA key (<c>private_key</c>, PEM).
/// </summary>
internal sealed class ServiceAccount : IDisposable
{
    private const int MaxBytes = 64 * 1024;

    private readonly RSA key;
    private readonly string? keyId;

    private ServiceAccount(string email, string? keyId, RSA key) => (Email, this.keyId, this.key) = (email, keyId, key);

    public string Email { get; }

    /// <exception cref="MailException">The file can't be read or contains no such key. The message never quotes the file.</exception>
    public static ServiceAccount Read(string path)
    {
        try
        {
            if (new FileInfo(path).Length > MaxBytes)
                throw Unusable(path, "is too long for a key file");
            using var json = JsonDocument.Parse(OrdinaryFile.ReadText(path));
            if (Text(json, "client_email") is not { } email || Text(json, "private_key") is not { } pem)
                throw Unusable(path, "names no 'client_email' and 'private_key'");
            var rsa = RSA.Create();
            rsa.ImportFromPem(pem);
            return new ServiceAccount(email, Text(json, "private_key_id"), rsa);
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            throw Unusable(path, $"can't be read: {FileErrors.Explain(e)}");
        }
        catch (Exception e) when (e is JsonException or ArgumentException or CryptographicException or InvalidOperationException)
        {
            // The exception's message is left out, since it may quote the private key from the file.
            throw Unusable(path, "is no key file of a service account");
        }
    }

    /// <summary>Creates an assertion, signed with RS256 (RFC 7523 §3, RFC 7515), that asks to act for the user <paramref name="subject"/>.</summary>
    /// <param name="now">The current time, by the authorization server's clock when that is known.</param>
    public string Sign(string audience, string scope, string? subject, DateTimeOffset now)
    {
        const int Seconds = 3600;
        var claims = Json(json =>
        {
            json.WriteString("iss", Email);
            json.WriteString("scope", scope);
            json.WriteString("aud", audience);
            if (subject is not null)
                json.WriteString("sub", subject);
            json.WriteNumber("iat", now.ToUnixTimeSeconds());
            json.WriteNumber("exp", now.ToUnixTimeSeconds() + Seconds);
        });
        var header = Json(json =>
        {
            json.WriteString("alg", "RS256");
            json.WriteString("typ", "JWT");
            if (keyId is not null)
                json.WriteString("kid", keyId);
        });
        var signed = $"{Base64Url.EncodeToString(header)}.{Base64Url.EncodeToString(claims)}";
        var signature = key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        return $"{signed}.{Base64Url.EncodeToString(signature)}";
    }

    public void Dispose() => key.Dispose();

    private static byte[] Json(Action<Utf8JsonWriter> write)
    {
        using var octets = new MemoryStream();
        using (var json = new Utf8JsonWriter(octets))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }

        return octets.ToArray();
    }

    private static string? Text(JsonDocument json, string name) =>
        json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static MailException Unusable(string path, string why) =>
        new(FailureScope.Store, isTransient: false, $"the service account's file {path} {why}; give the JSON file that was made with the key") { Kind = FailureKind.Configuration };
}
