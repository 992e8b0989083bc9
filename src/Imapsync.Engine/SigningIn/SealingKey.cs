using System.Security.Cryptography;
using System.Text;
using Imapsync.Engine.Files;

namespace Imapsync.Engine.SigningIn;

/// <summary>A place that stores the key with which a stored sign-in is encrypted. The key is an AES-256 key of 32 octets.</summary>
internal abstract class SealingKey
{
    public const int Bytes = 32;

    /// <summary>The name of this key location, as written into the sign-in file.</summary>
    public abstract string Word { get; }

    /// <summary>The key's location for display.</summary>
    public abstract string Place { get; }

    /// <summary>Reads the key; returns null when it is not available now.</summary>
    public abstract Task<byte[]?> FindAsync(CancellationToken cancellationToken);

    /// <summary>Returns the existing key or creates one; null when this machine does not have this key location.</summary>
    public abstract Task<byte[]?> MakeAsync(CancellationToken cancellationToken);

    /// <summary>Removes a key that is no longer needed, as a best effort.</summary>
    public abstract Task RemoveAsync(CancellationToken cancellationToken);

    protected static byte[]? Decode(string? text)
    {
        var octets = new byte[Bytes];
        return text is not null && Convert.TryFromBase64String(text.Trim(), octets, out var length) && length == Bytes ? octets : null;
    }
}

/// <summary>
/// A credential that systemd passes to the service (<c>LoadCredential=</c>, <c>SetCredentialEncrypted=</c>). The operator creates the
/// credential, so its length may vary.
/// </summary>
internal sealed class CredentialKey(string? directory) : SealingKey
{
    public const string FileName = "imapsync-signin-key";

    public override string Word => "credential";

    public override string Place => $"the systemd credential {FileName}";

    public override async Task<byte[]?> FindAsync(CancellationToken cancellationToken)
    {
        if (string.IsNullOrEmpty(directory) || !File.Exists(Path.Combine(directory, FileName)))
            return null;
        var octets = await File.ReadAllBytesAsync(Path.Combine(directory, FileName), cancellationToken);
        return octets.Length < Bytes / 2 ? null : HKDF.DeriveKey(HashAlgorithmName.SHA256, octets, Bytes, info: Encoding.ASCII.GetBytes(FileName));
    }

    public override Task<byte[]?> MakeAsync(CancellationToken cancellationToken) => FindAsync(cancellationToken);

    public override Task RemoveAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}

/// <summary>
/// A key file beside the sign-in. Anyone who can read both files has the sign-in: the key protects only against a copy of one of the two.
/// </summary>
internal sealed class FileKey(string path) : SealingKey
{
    private const string Magic = "imapsync-key 1";

    public override string Word => "file";

    public override string Place => path;

    public override Task<byte[]?> FindAsync(CancellationToken cancellationToken) => Task.FromResult(
        File.Exists(path) && OrdinaryFile.ReadText(path).Split('\n') is [Magic, var text, ..] ? Decode(text) : null);

    public override async Task<byte[]?> MakeAsync(CancellationToken cancellationToken)
    {
        if (await FindAsync(cancellationToken) is { } there)
            return there;
        var key = RandomNumberGenerator.GetBytes(Bytes);
        await DurableFiles.ReplaceAsync(path, (file, c) => file.WriteAsync(Encoding.ASCII.GetBytes($"{Magic}\n{Convert.ToBase64String(key)}\n"), c).AsTask(), cancellationToken);
        return key;
    }

    public override Task RemoveAsync(CancellationToken cancellationToken)
    {
        File.Delete(path);
        return Task.CompletedTask;
    }
}
