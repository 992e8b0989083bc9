using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Configuration.Secrets;

/// <summary>A password written in the job file.</summary>
internal sealed class WrittenSecret(Secret secret, string origin) : SecretReference
{
    public override ValueTask<Secret> ReadAsync(CancellationToken cancellationToken) => ValueTask.FromResult(secret);

    public override string ToString() => $"password at {origin}";
}

internal sealed class EnvironmentSecret(string name, Func<string, string?> environment) : SecretReference
{
    public override ValueTask<Secret> ReadAsync(CancellationToken cancellationToken) =>
        environment(name) is { Length: > 0 } value
            ? ValueTask.FromResult(new Secret(value))
            : throw Unreadable.Secret($"{this} is not set");

    public override string ToString() => $"environment variable {name}";
}

internal sealed class FileSecret(string path, TimeProvider time, string what = "password") : SecretReference
{
    /// <summary>The most octets that are read. No password is longer, and a path such as /dev/zero must not be read forever.</summary>
    private const int MaxBytes = 64 * 1024;

    private readonly Lock turn = new();
    private Task<Secret>? once;

    /// <summary>
    /// Reads the secret. A file is read each time, since its content may change; a pipe can be read only once, so its secret is cached.
    /// </summary>
    public override async ValueTask<Secret> ReadAsync(CancellationToken cancellationToken)
    {
        lock (turn)
        {
            if (once is null && Pipes.IsPipe(path))
                once = ReadWholeAsync(CancellationToken.None);
        }

        return await (once?.WaitAsync(cancellationToken) ?? ReadWholeAsync(cancellationToken));
    }

    private async Task<Secret> ReadWholeAsync(CancellationToken cancellationToken)
    {
        var buffer = new byte[MaxBytes + 1];
        int length;
        try
        {
            await using var file = await Pipes.OpenRead(path, time, cancellationToken);
            length = await file.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw Unreadable.Secret($"{this} can't be read: {Unreadable.Why(e)}");
        }

        if (length > MaxBytes)
            throw Unreadable.Secret($"{this} is too long for a {what}");
        var text = System.Text.Encoding.UTF8.GetString(buffer, 0, length).TrimStart('\uFEFF');
        text = text.EndsWith('\n') ? text[..^1].TrimEnd('\r') : text;
        return text.Length > 0 ? new Secret(text) : throw Unreadable.Secret($"{this} is empty");
    }

    public override string ToString() => $"{what} file {path}";
}

/// <summary>A secret that is asked for on the terminal, once.</summary>
/// <param name="ask">Shows the question and reads an answer without echoing it.</param>
internal sealed class PromptedSecret(string question, SecretPrompt ask) : SecretReference, IDisposable
{
    private readonly SemaphoreSlim turn = new(1, 1);
    private Secret? answer;

    public override async ValueTask<Secret> ReadAsync(CancellationToken cancellationToken)
    {
        await turn.WaitAsync(cancellationToken);
        try
        {
            return answer ??= await ask(question, cancellationToken);
        }
        finally
        {
            turn.Release();
        }
    }

    public override string ToString() => "answer to the password prompt";

    public void Dispose() => turn.Dispose();
}

/// <summary>Explains why a secret could not be read, without revealing any of it.</summary>
internal static class Unreadable
{
    public static MailException Secret(string message) =>
        new(FailureScope.Store, isTransient: false, message) { Kind = FailureKind.Configuration };

    public static string Why(Exception e) => e switch
    {
        FileNotFoundException or DirectoryNotFoundException => "there is no such file",
        UnauthorizedAccessException => "permission denied",
        _ => e.Message,
    };
}
