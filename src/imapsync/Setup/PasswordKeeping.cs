using System.Collections.Immutable;
using Imapsync.Engine.Configuration;
using Imapsync.Engine.Mail;

namespace Imapsync.CommandLine.Setup;

/// <summary>
/// Determines how typed passwords are stored: in files that only their owner can read, or not at all. In the latter case the job file
/// names an environment variable.
/// </summary>
/// <param name="mayReplace">Whether a password file of an earlier setup may be replaced; otherwise another name is used.</param>
internal sealed class PasswordKeeping(string name, bool byVariable, IReadOnlyDictionary<string, string> environment, bool mayReplace)
{
    private readonly List<(string Path, Secret Secret)> files = [];
    private readonly Dictionary<string, Secret> variables = [];

    public IReadOnlyList<(string Path, Secret Secret)> Files => files;

    public IReadOnlyDictionary<string, Secret> Variables => variables;

    /// <summary>Returns the setting that refers to the password; none when no password was typed.</summary>
    public ImmutableArray<DraftSetting> Keep(string side, Account account)
    {
        if (account.Typed is not { } secret)
            return [];
        if (byVariable)
        {
            var variable = string.Concat($"IMAPSYNC_{side}_PASSWORD_{name}".Select(c => char.IsAsciiLetterOrDigit(c) ? char.ToUpperInvariant(c) : '_'));
            variables.Add(variable, secret);
            return [new DraftSetting("password_env", variable, "an environment variable that holds it")];
        }

        var path = FreePath(side);
        files.Add((path, secret));
        return [new DraftSetting("password_file", path, "readable for its owner alone")];
    }

    private string FreePath(string side)
    {
        var configuration = environment.GetValueOrDefault("XDG_CONFIG_HOME") is { } xdg && Path.IsPathRooted(xdg)
            ? xdg
            : Path.Combine(environment.GetValueOrDefault("HOME") is { Length: > 0 } home ? home : Directory.GetCurrentDirectory(), ".config");
        var stem = Path.Combine(configuration, "imapsync", $"{name}-{side}.password");
        return mayReplace ? stem : Enumerable.Range(1, int.MaxValue - 1).Select(n => n == 1 ? stem : $"{stem}-{n}").First(p => !Path.Exists(p));
    }
}
