using System.Security.Cryptography;
using System.Text;

namespace Imapsync.Engine.SigningIn;

/// <summary>Where the key of a new sign-in is stored.</summary>
public enum KeyPlace
{
    /// <summary>The most secure key location that this machine has.</summary>
    Best,

    /// <summary>A file beside the sign-in, for programs that run while the user's keyring is locked.</summary>
    File,
}

/// <summary>The available key locations, the most secure first.</summary>
/// <param name="file">The path of the sign-in file.</param>
/// <param name="run">Runs an external program.</param>
internal sealed class SealingKeys(string file, IReadOnlyDictionary<string, string> environment, ProgramKey.Run run)
{
    /// <summary>The key's name in a keyring: a hash instead of the path, since keyrings show it to every program of the user.</summary>
    private readonly string name = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(file)))[..16];

    private IEnumerable<SealingKey> All
    {
        get
        {
            yield return new CredentialKey(environment.GetValueOrDefault("CREDENTIALS_DIRECTORY"));
            if (OperatingSystem.IsWindows())
                yield return new WindowsKey(file + ".key");
            else if (OperatingSystem.IsMacOS())
                yield return new KeychainKey(name, run);
            else
                yield return new SecretServiceKey(name, run);
            yield return new FileKey(file + ".key");
        }
    }

    /// <summary>Returns the key location with this name; null when the name is unknown on this machine.</summary>
    public SealingKey? Find(string word) => All.FirstOrDefault(k => k.Word == word);

    /// <summary>Returns the first key location that supplies a key, with that key.</summary>
    public async Task<(SealingKey Place, byte[] Key)> MakeAsync(KeyPlace wanted, CancellationToken cancellationToken)
    {
        foreach (var place in All.Where(k => wanted == KeyPlace.Best || k is FileKey))
        {
            if (await place.MakeAsync(cancellationToken) is { } key)
                return (place, key);
        }

        throw new IOException($"no key could be made for {file}");
    }
}
