using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Security.Cryptography;
using System.Text;
using Imapsync.Engine.Files;

namespace Imapsync.Engine.SigningIn;

/// <summary>A key file that only this user's Windows account can decrypt (DPAPI).</summary>
[SupportedOSPlatform("windows")]
internal sealed partial class WindowsKey(string path) : SealingKey
{
    private const string Magic = "imapsync-key 1 dpapi";
    private const int NoQuestions = 1;

    public override string Word => "dpapi";

    public override string Place => $"{path}, encrypted for this account of Windows";

    public override Task<byte[]?> FindAsync(CancellationToken cancellationToken)
    {
        var octets = new byte[1 << 16];
        return Task.FromResult(File.Exists(path) && OrdinaryFile.ReadText(path).Split('\n') is [Magic, var text, ..] && Convert.TryFromBase64String(text.Trim(), octets, out var length)
            ? Apply(octets.AsSpan(0, length), protects: false)
            : null);
    }

    public override async Task<byte[]?> MakeAsync(CancellationToken cancellationToken)
    {
        if (await FindAsync(cancellationToken) is { } there)
            return there;
        var key = RandomNumberGenerator.GetBytes(Bytes);
        if (Apply(key, protects: true) is not { } sealedKey)
            return null;
        await DurableFiles.ReplaceAsync(path, (file, c) => file.WriteAsync(Encoding.ASCII.GetBytes($"{Magic}\n{Convert.ToBase64String(sealedKey)}\n"), c).AsTask(), cancellationToken);
        return key;
    }

    public override Task RemoveAsync(CancellationToken cancellationToken)
    {
        File.Delete(path);
        return Task.CompletedTask;
    }

    private static unsafe byte[]? Apply(ReadOnlySpan<byte> octets, bool protects)
    {
        fixed (byte* first = octets)
        {
            var input = new Blob { Length = octets.Length, Octets = first };
            var output = default(Blob);
            var isDone = protects
                ? Protect(&input, null, null, null, null, NoQuestions, &output)
                : Unprotect(&input, null, null, null, null, NoQuestions, &output);
            if (!isDone)
                return null;
            try
            {
                return new ReadOnlySpan<byte>(output.Octets, output.Length).ToArray();
            }
            finally
            {
                NativeMemory.Clear(output.Octets, (nuint)output.Length);
                _ = LocalFree(output.Octets);
            }
        }
    }

    [LibraryImport("crypt32.dll", EntryPoint = "CryptProtectData")]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static unsafe partial bool Protect(Blob* input, char* description, Blob* entropy, void* reserved, void* prompt, int flags, Blob* output);

    [LibraryImport("crypt32.dll", EntryPoint = "CryptUnprotectData")]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static unsafe partial bool Unprotect(Blob* input, char** description, Blob* entropy, void* reserved, void* prompt, int flags, Blob* output);

    [LibraryImport("kernel32.dll", EntryPoint = "LocalFree")]
    private static unsafe partial nint LocalFree(void* memory);

    private unsafe struct Blob
    {
        public int Length;
        public byte* Octets;
    }
}
