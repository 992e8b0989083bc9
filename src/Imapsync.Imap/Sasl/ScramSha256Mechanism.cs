using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Imapsync.Imap.Sasl;

/// <summary>SCRAM-SHA-256 (RFC 5802, RFC 7677) without channel binding. The server has to prove that it knows the password, too.</summary>
internal sealed class ScramSha256Mechanism : SaslMechanism
{
    // RFC 7677 §4 wants at least 4096; a server that asks for billions wants this process to hang.
    private const int MinIterations = 1;
    private const int MaxIterations = 2_000_000;

    private readonly string password;
    private readonly string nonce;
    private readonly string header;
    private readonly string firstBare;
    private byte[]? serverSignature;
    private bool isProven;

    /// <param name="nonce">For tests; random otherwise.</param>
    public ScramSha256Mechanism(string? authorizeAs, string user, string password, string? nonce = null)
    {
        this.password = password;
        this.nonce = nonce ?? Convert.ToBase64String(RandomNumberGenerator.GetBytes(24));
        header = authorizeAs is null ? "n,," : $"n,a={Escape(authorizeAs)},";
        firstBare = $"n={Escape(user)},r={this.nonce}";
    }

    public override string Name => "SCRAM-SHA-256";

    public override byte[] InitialResponse => Encoding.UTF8.GetBytes(header + firstBare);

    public static string Escape(string name) =>
        name.Replace("=", "=3D", StringComparison.Ordinal).Replace(",", "=2C", StringComparison.Ordinal);

    public override byte[] Next(byte[] challenge)
    {
        var text = Encoding.UTF8.GetString(challenge);
        if (isProven)
            return [];
        return serverSignature is null ? Prove(text) : Check(text);
    }

    private byte[] Prove(string serverFirst)
    {
        var fields = Fields(serverFirst);
        if (!fields.TryGetValue('r', out var serverNonce) || !serverNonce.StartsWith(nonce, StringComparison.Ordinal)
            || !fields.TryGetValue('s', out var salt) || !fields.TryGetValue('i', out var count)
            || !int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out var iterations)
            || iterations is < MinIterations or > MaxIterations)
        {
            throw new SaslException("the server's part of SCRAM-SHA-256 makes no sense");
        }

        var salted = Rfc2898DeriveBytes.Pbkdf2(
            Encoding.UTF8.GetBytes(password), Convert.FromBase64String(salt), iterations, HashAlgorithmName.SHA256, 32);
        var clientKey = HMACSHA256.HashData(salted, "Client Key"u8);
        var withoutProof = $"c={Convert.ToBase64String(Encoding.UTF8.GetBytes(header))},r={serverNonce}";
        var auth = Encoding.UTF8.GetBytes($"{firstBare},{serverFirst},{withoutProof}");
        var proof = HMACSHA256.HashData(SHA256.HashData(clientKey), auth);
        for (var i = 0; i < proof.Length; i++)
            proof[i] ^= clientKey[i];
        serverSignature = HMACSHA256.HashData(HMACSHA256.HashData(salted, "Server Key"u8), auth);
        return Encoding.UTF8.GetBytes($"{withoutProof},p={Convert.ToBase64String(proof)}");
    }

    private byte[] Check(string serverFinal)
    {
        var fields = Fields(serverFinal);
        if (fields.ContainsKey('e'))
            return [];
        if (!fields.TryGetValue('v', out var signature)
            || !CryptographicOperations.FixedTimeEquals(Convert.FromBase64String(signature), serverSignature))
        {
            throw new SaslException("the server could not prove that it knows the password");
        }

        isProven = true;
        return [];
    }

    private static Dictionary<char, string> Fields(string message)
    {
        var fields = new Dictionary<char, string>();
        foreach (var part in message.Split(','))
        {
            if (part.Length >= 2 && part[1] == '=')
                fields[part[0]] = part[2..];
        }

        return fields;
    }
}
