using Microsoft.Extensions.Configuration;

namespace Imapsync.Engine.Configuration;

/// <summary>
/// Settings from outside the file, which override it: environment variables such as <c>IMAPSYNC__JOBS__0__TARGET__URL</c> and, with the
/// highest precedence, <c>--set jobs.0.target.url=…</c>. A unique job name can replace <c>jobs.0</c>. An empty value removes a setting.
/// </summary>
internal sealed class SettingOverrides : LocatedConfigurationProvider, IConfigurationSource
{
    public const string Prefix = "IMAPSYNC__";

    private readonly IReadOnlyDictionary<string, string> environment;
    private readonly IReadOnlyList<string> assignments;
    private readonly IReadOnlyList<string?> jobNames;

    /// <param name="assignments">The values of <c>--set</c>.</param>
    /// <param name="jobNames">The names of the file's jobs, in order.</param>
    public SettingOverrides(
        IReadOnlyDictionary<string, string> environment, IReadOnlyList<string> assignments, IReadOnlyList<string?> jobNames)
    {
        this.environment = environment;
        this.assignments = assignments;
        this.jobNames = jobNames;
    }

    public IConfigurationProvider Build(IConfigurationBuilder builder) => this;

    public override void Load()
    {
        foreach (var name in environment.Keys.Where(n => n.StartsWith(Prefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal))
            Add(new SettingOrigin($"environment variable {name}"), name[Prefix.Length..], "__", EnvironmentForm, environment[name]);
        foreach (var assignment in assignments)
        {
            var equals = assignment.IndexOf('=');
            if (equals > 0)
                AddAssignment(assignment[..equals], assignment[(equals + 1)..]);
            else
                Errors.Add(new ConfigurationError(new SettingOrigin("--set"), "this is no KEY=VALUE", "write --set JOB.KEY=VALUE, for example --set alice.source.connections=4"));
        }
    }

    private void AddAssignment(string key, string value)
    {
        var origin = new SettingOrigin($"--set {key}");
        var last = key[(key.LastIndexOf('.') + 1)..].ToLowerInvariant();
        if (last == "password")
            Errors.Add(new ConfigurationError(origin, "every user of this machine can read a password on the command line", "use password_env, password_file or password_command"));
        else if (last is "ping" or "webhook")
            Errors.Add(new ConfigurationError(origin, "every user of this machine can read a URL on the command line, and the token in it", $"use {last}_env, {last}_file or {last}_command"));
        else
            Add(origin, key, ".", name => name, value);
    }

    private void Add(SettingOrigin origin, string key, string separator, Func<string, string> form, string value)
    {
        string[] segments;
        if (key.StartsWith("jobs" + separator, StringComparison.OrdinalIgnoreCase))
        {
            segments = key.Split(separator);
        }
        else
        {
            var matches = jobNames
                .Select((name, index) => (Name: name, Index: index))
                .Where(j => j.Name is not null && key.StartsWith(form(j.Name) + separator, StringComparison.OrdinalIgnoreCase))
                .ToList();
            if (matches.Count != 1)
            {
                Errors.Add(new ConfigurationError(
                    origin, matches.Count == 0 ? "this names no job of the file" : "this fits more than one job of the file", Remedy(key, separator, form)));
                return;
            }

            segments = ["jobs", $"{matches[0].Index}", .. key[(form(matches[0].Name!).Length + separator.Length)..].Split(separator)];
        }

        if (segments.Length < 3 || segments.Any(s => s.Length == 0))
        {
            Errors.Add(new ConfigurationError(origin, "this names no setting of a job", $"write JOB{separator}KEY, for example alice{separator}source{separator}url"));
            return;
        }

        var path = string.Join(':', segments.Select(EscapeKey));
        var kind = value.Length == 0 ? SettingKind.Nothing : SettingKind.Value;
        Settings.Add(new LocatedSetting(path, segments[^1], kind, origin, origin, IsOverride: true));
        Data[path] = value.Length == 0 ? null : value;
    }

    private string Remedy(string key, string separator, Func<string, string> form)
    {
        var first = key.Split(separator)[0];
        var nearest = EditDistance.Nearest(first, jobNames.OfType<string>().Select(form).Append("jobs"));
        return nearest is null ? $"start it with a job's name or with jobs{separator}0" : $"did you mean '{nearest}'?";
    }

    /// <summary>Converts a job's name to the characters that shells allow in variable names.</summary>
    private static string EnvironmentForm(string name) =>
        string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '_'));
}
