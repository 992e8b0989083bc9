using Imapsync.Engine.Configuration.Secrets;
using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Configuration;

/// <summary>Reads where a secret comes from: an endpoint's password, or a URL that contains a token.</summary>
/// <param name="isWanted">Whether the job will run, so that the secret must exist.</param>
/// <param name="name">The prefix of the secret's keys: <c>password</c> for <c>password_env</c>, <c>password_file</c> and so on.</param>
/// <param name="noun">The secret's name in error texts; null to use <paramref name="name"/>.</param>
internal sealed class SecretReader(JobReadContext reading, bool isWanted, string name = "password", string? noun = null)
{
    /// <summary>The keys for an endpoint's password.</summary>
    public static readonly string[] Keys = ["password_env", "password_file", "password_command", "password"];

    private readonly bool isChecked = isWanted && !reading.HasSeveralJobs;

    private readonly string[] keys = [$"{name}_env", $"{name}_file", $"{name}_command", name];

    private readonly string what = noun ?? name;

    public SecretReference? Read(SettingNode section, ServerEndpoint endpoint)
    {
        var given = Given(section);
        if (endpoint.Auth is AuthMechanism.External or AuthMechanism.Anonymous && given.Count > 0)
        {
            var word = endpoint.Auth == AuthMechanism.External ? "external" : "anonymous";
            reading.Error(section[given[0]]!.KeyOrigin, $"'{given[0]}' contradicts 'auth: {word}', which needs no password", "remove one of them");
        }

        if (given.Count > 0)
            return Refer(section, given[0]);
        if (!LogInReader.NeedsPassword(endpoint.Auth))
            return null;
        // A session through a tunnel command is usually already logged in, so no password is needed.
        if (endpoint.Route.TunnelCommand is not null)
            return null;
        if (reading.Options.Prompt is { } prompt)
            return new PromptedSecret($"Password for {endpoint.Display}", prompt);
        // A missing password is not reported if the URL has no user or the password's key is misspelt. These mistakes are reported
        // elsewhere.
        if (isWanted && endpoint.User.Length > 0 && !section.Children.Any(IsMisspelt))
            reading.Error(section.KeyOrigin, $"there is no password for {endpoint.Display}, and no terminal to ask on", "add password_env, password_file or password_command");
        return null;
    }

    private bool IsMisspelt(SettingNode node) => JobSchema.Endpoint.All(k => k.Name != node.Key) && EditDistance.Nearest(node.Key, keys) is not null;

    /// <summary>Returns the secret that the section specifies; null for none. It never prompts.</summary>
    public SecretReference? Read(SettingNode section) => Given(section) is [var key, ..] ? Refer(section, key) : null;

    /// <summary>Returns the key that says where the secret comes from; null for none.</summary>
    public string? FirstKey(SettingNode section) => KeysOf(section).FirstOrDefault();

    private IEnumerable<string> KeysOf(SettingNode section) => keys.Where(k => section[k] is { } node && !node.IsTakenAway());

    private List<string> Given(SettingNode section)
    {
        var given = KeysOf(section).ToList();
        foreach (var key in given.Skip(1))
            reading.Error(section[key]!.KeyOrigin, $"'{key}' contradicts '{given[0]}' at {section[given[0]]!.KeyOrigin}", "keep one of them");
        return given;
    }

    private SecretReference? Refer(SettingNode section, string key)
    {
        if (section.Text(key) is not { } text)
            return null;
        var origin = section.Origin(key);
        return key[name.Length..] switch
        {
            "_env" => FromEnvironment(text, origin),
            "_file" => FromFile(text, origin),
            "_command" => new CommandSecret(text, reading.Options.Time, what),
            _ => Written(text, origin),
        };
    }

    private EnvironmentSecret FromEnvironment(string variable, SettingOrigin origin)
    {
        // An invalid variable name may be the password itself, written under the wrong key, so the error does not quote it.
        if (!variable.All(c => char.IsAsciiLetterOrDigit(c) || c == '_') || variable.Length == 0 || char.IsAsciiDigit(variable[0]))
            reading.Error(origin, $"'{name}_env' holds no name of an environment variable", $"write the variable's name, for example {name}_env: ALICE_{name.ToUpperInvariant()}");
        else if (isChecked && string.IsNullOrEmpty(reading.Variable(variable)))
            reading.Error(origin, $"environment variable {variable} is not set", $"set it before running, or use {name}_file or {name}_command");
        return reading.EnvironmentSecret(variable);
    }

    private FileSecret? FromFile(string text, SettingOrigin origin)
    {
        if (reading.Resolve(origin, text) is not { } path)
            return null;
        if (isWanted)
        {
            // A pipe is not checked, since reading it would consume its content.
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
        // Only a password in the job file itself is checked here; the permissions of a CSV file are checked once for the whole file.
        if (origin.Line > 0 && reading.FileOf(origin) == reading.FilePath)
            reading.NoteWhenReadableByOthers(origin, reading.FilePath, UnixFileMode.OtherRead, name == "password" ? "this file holds a password and" : $"this file holds the URL of a {name} and");
        // The note does not quote the value, since it may really be the password.
        if (text.StartsWith("${", StringComparison.Ordinal) || (text.Length > 1 && text[0] == '$' && text[1..].All(c => char.IsAsciiLetterUpper(c) || c == '_')))
            reading.Note(origin, $"'{name}' is taken as it stands, a job file puts in no variables; if a variable is meant, write {name}_env: NAME");
        return new WrittenSecret(new Secret(text), origin.ToString());
    }
}
