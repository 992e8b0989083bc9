using System.Security.Cryptography;
using System.Text;

namespace Imapsync.Fleet.Serving;

/// <summary>The rights of a user of the API.</summary>
internal enum Role
{
    Look,
    Operate,
}

/// <summary>
/// The users who are admitted, from a file with a line <c>name role sha256</c> for each token. The tokens themselves are not stored.
/// </summary>
internal sealed class Tokens(string file)
{
    private const int TokenBytes = 32;

    /// <summary>
    /// Returns the user of a token; null for none. The file is read each time, so that a removed line takes effect at once.
    /// </summary>
    public (string Name, Role Role)? Find(string token) => FindDigest(Digest(token));

    /// <summary>Returns the user of the token with this digest; null if no user has this token.</summary>
    public (string Name, Role Role)? FindDigest(string digest)
    {
        foreach (var line in File.Exists(file) ? File.ReadLines(file) : [])
        {
            if (line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [var name, var role, var known]
                && Enum.TryParse<Role>(role, ignoreCase: true, out var may)
                && CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(known), Encoding.ASCII.GetBytes(digest)))
                return (name, may);
        }

        return null;
    }

    public bool IsEmpty => !File.Exists(file) || !File.ReadLines(file).Any(l => l.Trim().Length > 0);

    /// <summary>Creates a token. The caller shows it once; it can't be shown again.</summary>
    public string Add(string name, Role role)
    {
        var token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(TokenBytes));
        var options = new FileStreamOptions { Mode = FileMode.Append, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        // An editor may have left the last line without an end.
        var end = File.Exists(file) && File.ReadAllText(file) is [.., not '\n'] ? "\n" : "";
        using var writer = new StreamWriter(file, options);
        writer.Write($"{end}{name} {role.ToString().ToLowerInvariant()} {Digest(token)}\n");
        return token;
    }

    /// <summary>Returns what the file stores instead of a token: the token's SHA-256 in hexadecimal digits.</summary>
    public static string Digest(string token) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token)));
}
