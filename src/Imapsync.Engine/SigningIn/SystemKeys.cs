using System.ComponentModel;
using System.Diagnostics;
using System.Security.Cryptography;

namespace Imapsync.Engine.SigningIn;

/// <summary>A key in the user's keyring, read and written with a program of the operating system.</summary>
/// <param name="name">The key's unique name in the keyring.</param>
/// <param name="run">Runs a program with arguments and input and returns its output; null when the program failed or does not exist.</param>
internal abstract class ProgramKey(string name, ProgramKey.Run run) : SealingKey
{
    public delegate Task<string?> Run(string program, IReadOnlyList<string> arguments, string input, CancellationToken cancellationToken);

    protected string Name => name;

    protected Run Program => run;

    public override async Task<byte[]?> MakeAsync(CancellationToken cancellationToken)
    {
        if (await FindAsync(cancellationToken) is { } there)
            return there;
        await StoreAsync(Convert.ToBase64String(RandomNumberGenerator.GetBytes(Bytes)), cancellationToken);
        // A key counts as stored only if it can be read back.
        return await FindAsync(cancellationToken);
    }

    protected abstract Task StoreAsync(string key, CancellationToken cancellationToken);

    /// <summary>Runs a program without a shell. The key is passed through pipes, since other processes can see the arguments.</summary>
    public static async Task<string?> RunAsync(string program, IReadOnlyList<string> arguments, string input, CancellationToken cancellationToken)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments)
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                UseShellExecute = false,
            })!;
            try
            {
                await process.StandardInput.WriteAsync(input.AsMemory(), cancellationToken);
                process.StandardInput.Close();
                var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
                var errors = process.StandardError.ReadToEndAsync(cancellationToken);
                await process.WaitForExitAsync(cancellationToken);
                await errors;
                return process.ExitCode == 0 ? await output : null;
            }
            finally
            {
                if (!process.HasExited)
                    process.Kill(entireProcessTree: true);
            }
        }
        catch (Exception e) when (e is Win32Exception or IOException)
        {
            return null;
        }
    }
}

/// <summary>The Secret Service of a Linux desktop (GNOME Keyring, KWallet, KeePassXC), accessed with libsecret's <c>secret-tool</c>.</summary>
internal sealed class SecretServiceKey(string name, ProgramKey.Run run) : ProgramKey(name, run)
{
    private const string Tool = "secret-tool";

    public override string Word => "secret-service";

    public override string Place => "the desktop's Secret Service";

    public override async Task<byte[]?> FindAsync(CancellationToken cancellationToken) =>
        Decode(await Program(Tool, ["lookup", "application", "imapsync", "sign-in", Name], "", cancellationToken));

    protected override Task StoreAsync(string key, CancellationToken cancellationToken) =>
        Program(Tool, ["store", "--label", "imapsync sign-in", "application", "imapsync", "sign-in", Name], key, cancellationToken);

    public override Task RemoveAsync(CancellationToken cancellationToken) => Program(Tool, ["clear", "application", "imapsync", "sign-in", Name], "", cancellationToken);
}

/// <summary>The keychain of macOS, accessed with <c>security</c>, which reads its commands from standard input.</summary>
internal sealed class KeychainKey(string name, ProgramKey.Run run) : ProgramKey(name, run)
{
    private const string Tool = "/usr/bin/security";

    public override string Word => "keychain";

    public override string Place => "the keychain";

    public override async Task<byte[]?> FindAsync(CancellationToken cancellationToken) =>
        Decode(await Program(Tool, ["find-generic-password", "-s", "imapsync sign-in", "-a", Name, "-w"], "", cancellationToken));

    protected override Task StoreAsync(string key, CancellationToken cancellationToken) =>
        Program(Tool, ["-i"], $"add-generic-password -U -s \"imapsync sign-in\" -a {Name} -w {key}\n", cancellationToken);

    public override Task RemoveAsync(CancellationToken cancellationToken) => Program(Tool, ["delete-generic-password", "-s", "imapsync sign-in", "-a", Name], "", cancellationToken);
}
