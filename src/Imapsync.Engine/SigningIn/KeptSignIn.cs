using System.Security.Cryptography;
using System.Text;
using Imapsync.Engine.Files;

namespace Imapsync.Engine.SigningIn;

/// <summary>
/// A refresh token stored on disk. The file is readable by its owner only, encrypted (AES-256-GCM), bound to the account, client and server it
/// was issued for, replaced atomically, and durable when a write returns.
/// </summary>
/// <param name="path">The path of the file <c>signin-source</c> or <c>signin-target</c> in the job's state directory.</param>
internal sealed class KeptSignIn(string path, SealingKeys keys)
{
    private const string Magic = "imapsync-signin 1";
    private const int NonceBytes = 12;
    private const int TagBytes = 16;
    private const int MaxBytes = 1 << 20;

    private (SealingKey Place, byte[] Key)? held;

    public bool Exists => File.Exists(path);

    /// <returns>The refresh token; null when none is stored.</returns>
    /// <exception cref="SignInLostException">A stored sign-in exists but can't be used.</exception>
    /// <exception cref="IOException"/>
    public async Task<string?> ReadAsync(string binding, CancellationToken cancellationToken)
    {
        if (!Exists)
            return null;
        if (new FileInfo(path).Length > MaxBytes || ReadText().Split('\n') is not [Magic, var keyLine, var bindingLine, var sealedLine, ..])
            throw new SignInLostException("it is damaged");
        if (bindingLine != "for " + Fingerprint(binding))
            throw new SignInLostException("it is for another user, client or provider than the job file names now");
        if (!keyLine.StartsWith("key ", StringComparison.Ordinal) || keys.Find(keyLine[4..]) is not { } place)
            throw new SignInLostException("its key lies where this machine has no such place");
        var header = Header(keyLine, bindingLine);
        if (held is { } known && known.Place.Word == place.Word && Open(sealedLine, known.Key, header) is { } text)
            return text;
        // The cached key may be stale: another process that signed out and in again has created a new key.
        var key = await place.FindAsync(cancellationToken) ?? throw new SignInLostException($"its key is not to be had from {place.Place}");
        held = (place, key);
        return Open(sealedLine, key, header) ?? throw new SignInLostException("it is damaged, or its key is another one now");
    }

    /// <summary>Stores the refresh token, encrypted with the cached key or, when there is none, with a key from <paramref name="wanted"/>.</summary>
    /// <exception cref="IOException"/>
    public async Task WriteAsync(string binding, string refreshToken, KeyPlace wanted, CancellationToken cancellationToken)
    {
        if (Path.GetDirectoryName(path) is { } directory)
            await DurableFiles.CreateDirectoryAsync(directory, cancellationToken);
        var (place, key) = held ??= await keys.MakeAsync(wanted, cancellationToken);
        var (keyLine, bindingLine) = ($"key {place.Word}", "for " + Fingerprint(binding));
        var text = $"{Magic}\n{keyLine}\n{bindingLine}\n{Seal(refreshToken, key, Header(keyLine, bindingLine))}\n";
        await DurableFiles.ReplaceAsync(path, (file, c) => file.WriteAsync(Encoding.ASCII.GetBytes(text), c).AsTask(), cancellationToken);
    }

    /// <summary>
    /// Stores the refresh token of a new sign-in. The cached key is discarded, so the best key location is chosen anew. Returns where the key
    /// is stored now; empty for a key file.
    /// </summary>
    public async Task<string> WriteAnewAsync(string binding, string refreshToken, KeyPlace wanted, CancellationToken cancellationToken)
    {
        held = null;
        await WriteAsync(binding, refreshToken, wanted, cancellationToken);
        return held!.Value.Place is FileKey ? "" : held.Value.Place.Place;
    }

    /// <summary>Deletes the stored sign-in and its key. Returns false when no sign-in was stored.</summary>
    public async Task<bool> RemoveAsync(CancellationToken cancellationToken)
    {
        if (!Exists)
            return false;
        var place = ReadText().Split('\n') is [Magic, ['k', 'e', 'y', ' ', .. var word], ..] ? keys.Find(word) : null;
        File.Delete(path);
        await DurableFiles.SyncDirectoryAsync(Path.GetDirectoryName(path)!, cancellationToken);
        if (place is not null)
            await place.RemoveAsync(cancellationToken);
        held = null;
        return true;
    }

    private string ReadText()
    {
        using var text = new StreamReader(OrdinaryFile.OpenRead(path));
        return text.ReadToEnd();
    }

    private static byte[] Header(string keyLine, string bindingLine) => Encoding.ASCII.GetBytes($"{Magic}\n{keyLine}\n{bindingLine}");

    private static string Fingerprint(string binding) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(binding)))[..32];

    private static string Seal(string text, byte[] key, byte[] header)
    {
        var plain = Encoding.UTF8.GetBytes(text);
        var octets = new byte[NonceBytes + plain.Length + TagBytes];
        RandomNumberGenerator.Fill(octets.AsSpan(0, NonceBytes));
        using var aes = new AesGcm(key, TagBytes);
        aes.Encrypt(octets.AsSpan(0, NonceBytes), plain, octets.AsSpan(NonceBytes, plain.Length), octets.AsSpan(NonceBytes + plain.Length), header);
        return Convert.ToBase64String(octets);
    }

    private static string? Open(string line, byte[] key, byte[] header)
    {
        try
        {
            var octets = Convert.FromBase64String(line);
            // The decoder ignores the unused bits of the last base64 digit, so the text is re-encoded and compared to detect changes to them.
            if (octets.Length < NonceBytes + TagBytes || Convert.ToBase64String(octets) != line)
                return null;
            var plain = new byte[octets.Length - NonceBytes - TagBytes];
            using var aes = new AesGcm(key, TagBytes);
            aes.Decrypt(octets.AsSpan(0, NonceBytes), octets.AsSpan(NonceBytes, plain.Length), octets.AsSpan(NonceBytes + plain.Length), plain, header);
            return Encoding.UTF8.GetString(plain);
        }
        catch (Exception e) when (e is FormatException or CryptographicException)
        {
            return null;
        }
    }
}
