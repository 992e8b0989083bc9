using System.Security.Cryptography;
using System.Text;

namespace Imapsync.Engine.SigningIn;

/// <summary>Where the key of a new sign-in is to lie.</summary>
public enum KeyPlace
{
    /// <summary>The best that this machine has.</summary>
    Best,

    /// <summary>A file beside the sign-in, for programs that run where the user's store of secrets is locked.</summary>
    File,
}

/// <summary>The places for a key that there are, the best first.</summary>
/// <param name="file">The sign-in's own file.</param>
/// <param name="run">Runs a system's program.</param>
internal sealed class SealingKeys(string file, IReadOnlyDictionary<string, string> environment, ProgramKey.Run run)
{
    /// <summary>Not the path itself: stores of secrets show it to every program of the user.</summary>
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

    /// <summary>The place that the word of a file names; null for a word that is none here.</summary>
    public SealingKey? Find(string word) => All.FirstOrDefault(k => k.Word == word);

    /// <summary>The first place that gives a key.</summary>
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
