using Imapsync.Engine.Configuration.Secrets;
using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Configuration;

/// <summary>Finds out where an endpoint's password is to come from.</summary>
/// <param name="isWanted">The job will be run: the secret must be there.</param>
internal sealed class SecretReader(JobReadContext reading, bool isWanted)
{
    private readonly bool isChecked = isWanted && !reading.HasSeveralJobs;

    private static readonly string[] Keys = ["password_env", "password_file", "password_command", "password"];

    public SecretReference? Read(SettingNode section, ImapEndpoint endpoint)
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
        if (reading.Options.Prompt is { } prompt)
            return new PromptedSecret($"Password for {endpoint.Display}", prompt);
        if (isWanted)
            reading.Error(section.KeyOrigin, $"there is no password for {endpoint.Display}, and no terminal to ask on", "add password_env, password_file or password_command");
        return null;
    }

    private SecretReference? Refer(string key, string text, SettingOrigin origin) => key switch
    {
        "password_env" => FromEnvironment(text, origin),
        "password_file" => FromFile(text, origin),
        "password_command" => new CommandSecret(text, reading.Options.Time),
        _ => Written(text, origin),
    };

    private EnvironmentSecret FromEnvironment(string name, SettingOrigin origin)
    {
        // A name that is none may be the password itself, put behind the wrong key: it is not repeated.
        if (!name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_') || name.Length == 0 || char.IsAsciiDigit(name[0]))
            reading.Error(origin, "'password_env' holds no name of an environment variable", "write the variable's name, for example password_env: ALICE_PASSWORD");
        else if (isChecked && string.IsNullOrEmpty(reading.Variable(name)))
            reading.Error(origin, $"environment variable {name} is not set", "set it before running, or use password_file or password_command");
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
            reading.NoteWhenReadableByOthers(origin, path, UnixFileMode.GroupRead | UnixFileMode.OtherRead, $"password file {path}");
        }

        return new FileSecret(path, reading.Options.Time);
    }

    private void CheckReadable(string path, SettingOrigin origin)
    {
        try
        {
            using var file = File.OpenRead(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            reading.Error(origin, $"password file {path} can't be read: {Unreadable.Why(e)}", "correct the path or the file's permissions");
        }
    }

    private WrittenSecret Written(string text, SettingOrigin origin)
    {
        // A table of passwords is looked at once, as a whole.
        if (origin.Line > 0 && reading.FileOf(origin) == reading.FilePath)
            reading.NoteWhenReadableByOthers(origin, reading.FilePath, UnixFileMode.OtherRead, "this file holds a password and");
        // Nothing of it is shown: it may be the password indeed.
        if (text.StartsWith("${", StringComparison.Ordinal) || (text.Length > 1 && text[0] == '$' && text[1..].All(c => char.IsAsciiLetterUpper(c) || c == '_')))
            reading.Note(origin, "'password' is taken as it stands, a job file puts in no variables; if a variable is meant, write password_env: NAME");
        return new WrittenSecret(new Secret(text), origin.ToString());
    }
}
