using System.Security.Cryptography;
using System.Text;

namespace Imapsync.Imap.Tests.Commands;

/// <summary>The server's side of SCRAM (RFC 5802 §3). Like a real server, it stores only StoredKey and ServerKey.</summary>
internal sealed class ScramVerifier
{
    private const int Iterations = 64;

    private readonly HashAlgorithmName hash;
    private readonly string user;
    private readonly byte[] salt = new byte[16];
    private readonly byte[] storedKey;
    private readonly byte[] serverKey;
    private string said = "";
    private string nonce = "";

    public ScramVerifier(HashAlgorithmName hash, string user, string password, Random random)
    {
        this.hash = hash;
        this.user = user.Replace("=", "=3D", StringComparison.Ordinal).Replace(",", "=2C", StringComparison.Ordinal);
        random.NextBytes(salt);
        var salted = Rfc2898DeriveBytes.Pbkdf2(Encoding.UTF8.GetBytes(password), salt, Iterations, hash, CryptographicOperations.HashData(hash, []).Length);
        storedKey = CryptographicOperations.HashData(hash, CryptographicOperations.HmacData(hash, salted, "Client Key"u8.ToArray()));
        serverKey = CryptographicOperations.HmacData(hash, salted, "Server Key"u8.ToArray());
    }

    public string First(string clientFirst)
    {
        Assert.StartsWith($"n,,n={user},r=", clientFirst, StringComparison.Ordinal);
        nonce = clientFirst[$"n,,n={user},r=".Length..] + "+more";
        var first = $"r={nonce},s={Convert.ToBase64String(salt)},i={Iterations}";
        said = clientFirst[3..] + "," + first;
        return first;
    }

    public string Final(string clientFinal)
    {
        var end = clientFinal.IndexOf(",p=", StringComparison.Ordinal);
        Assert.Equal($"c=biws,r={nonce}", clientFinal[..end]);
        var auth = Encoding.UTF8.GetBytes($"{said},{clientFinal[..end]}");
        var key = Convert.FromBase64String(clientFinal[(end + 3)..]);
        var signature = CryptographicOperations.HmacData(hash, storedKey, auth);
        for (var i = 0; i < key.Length; i++)
            key[i] ^= signature[i];
        Assert.Equal(storedKey, CryptographicOperations.HashData(hash, key));
        return "v=" + Convert.ToBase64String(CryptographicOperations.HmacData(hash, serverKey, auth));
    }
}
