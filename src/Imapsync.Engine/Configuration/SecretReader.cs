using Imapsync.Engine.Configuration.Secrets;
using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Configuration;

/// <summary>Finds out where an endpoint's password is to come from.</summary>
/// <param name="isWanted">The job will be run: the secret must be there.</param>
/// <param name="what">What else than a password it is, for error texts.</param>
internal sealed class SecretReader(JobReadContext reading, bool isWanted, string what = "password")
{
    private readonly bool isChecked = isWanted && !reading.HasSeveralJobs;

    public static readonly string[] Keys = ["password_env", "password_file", "password_command", "password"];

    public SecretReference? Read(SettingNode section, ServerEndpoint endpoint)
    {
        var given = Keys.Where(k => section[k] is { } node && !node.IsTakenAway()).ToList();
        foreach (var key in given.Skip(1))
            reading.Error(section[key]!.KeyOrigin, $"'{key}' contradicts '{given[0]}' at {section[given[0]]!.KeyOrigin}", "keep one of them");
        if (endpoint.Auth is AuthMechanism.External or AuthMechanism.Anonymous && given.Count > 0)
        {
            var word = endpoint.Auth == AuthMechanism.External ? "external" : "anonymous";
            reading.Error(section[given[0]]!.KeyOrigin, $"'{given[0]}' contradicts 'auth: {word}', which needs no password", "remove one of them");
        }

        if (given.Count > 0)
            return section.Text(given[0]) is { } text ? Refer(given[0], text, section.Origin(given[0])) : null;
        if (!LogInReader.NeedsPassword(endpoint.Auth))
            return null;
        // Behind a tunnel the session is logged in, as a rule.
        if (endpoint.Route.TunnelCommand is not null)
            return null;
        if (reading.Options.Prompt is { } prompt)
            return new PromptedSecret($"Password for {endpoint.Display}", prompt);
        if (isWanted)
            reading.Error(section.KeyOrigin, $"there is no password for {endpoint.Display}, and no terminal to ask on", "add password_env, password_file or password_command");
        return null;
    }

    /// <summary>The one of the keys that <paramref name="name"/> and <c>_env</c>, <c>_file</c> or <c>_command</c> make; null where none is there.</summary>
    public SecretReference? ReadNamed(SettingNode section, string name)
    {
        var given = ((string[])[$"{name}_env", $"{name}_file", $"{name}_command"]).Where(k => section[k] is { } node && !node.IsTakenAway()).ToList();
        foreach (var key in given.Skip(1))
            reading.Error(section[key]!.KeyOrigin, $"'{key}' contradicts '{given[0]}' at {section[given[0]]!.KeyOrigin}", "keep one of them");
        return given.Count > 0 && section.Text(given[0]) is { } text ? Refer(given[0], text, section.Origin(given[0])) : null;
    }

    private SecretReference? Refer(string key, string text, SettingOrigin origin) => key.Split('_')[^1] switch
    {
        "env" => FromEnvironment(key, text, origin),
        "file" => FromFile(text, origin),
        "command" => new CommandSecret(text, reading.Options.Time, what),
        _ => Written(text, origin),
    };

    private EnvironmentSecret FromEnvironment(string key, string name, SettingOrigin origin)
    {
        var stem = key[..^"_env".Length];
        // A name that is none may be the password itself, put behind the wrong key: it is not repeated.
        if (!name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_') || name.Length == 0 || char.IsAsciiDigit(name[0]))
            reading.Error(origin, $"'{key}' holds no name of an environment variable", $"write the variable's name, for example {key}: {stem.ToUpperInvariant()}");
        else if (isChecked && string.IsNullOrEmpty(reading.Variable(name)))
            reading.Error(origin, $"environment variable {name} is not set", $"set it before running, or use {stem}_file or {stem}_command");
        return reading.EnvironmentSecret(name);
    }

    private FileSecret? FromFile(string text, SettingOrigin origin)
    {
        if (reading.Resolve(origin, text) is not { } path)
            return null;
        if (isWanted)
        {
            // To look into a pipe would take what is in it.
            if (isChecked && !Pipes.IsPipe(path))
                CheckReadable(path, origin);
            reading.NoteWhenReadableByOthers(origin, path, UnixFileMode.GroupRead | UnixFileMode.OtherRead, $"{what} file {path}");
        }

        return new FileSecret(path, reading.Options.Time, what);
    }

    private void CheckReadable(string path, SettingOrigin origin)
    {
        try
        {
            using var file = File.OpenRead(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            reading.Error(origin, $"{what} file {path} can't be read: {Unreadable.Why(e)}", "correct the path or the file's permissions");
        }
    }

    private WrittenSecret Written(string text, SettingOrigin origin)
    {
        if (origin.Line > 0)
            reading.NoteWhenReadableByOthers(origin, reading.FilePath, UnixFileMode.OtherRead, "this file holds a password and");
        // Nothing of it is shown: it may be the password indeed.
        if (text.StartsWith("${", StringComparison.Ordinal) || (text.Length > 1 && text[0] == '$' && text[1..].All(c => char.IsAsciiLetterUpper(c) || c == '_')))
            reading.Note(origin, "'password' is taken as it stands, a job file puts in no variables; if a variable is meant, write password_env: NAME");
        return new WrittenSecret(new Secret(text), origin.ToString());
    }
}
