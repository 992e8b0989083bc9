using Imapsync.Engine.Configuration.Secrets;

namespace Imapsync.Engine.Configuration;

/// <summary>
/// What all readers of one job file share: the errors found so far, and the rules by which paths and variables are resolved.
/// </summary>
internal sealed class JobReadContext
{
    /// <summary>The longest wait that a .NET timer accepts is a few hours more than this.</summary>
    private static readonly TimeSpan LongestTimer = TimeSpan.FromDays(49);

    private readonly string homeDirectory;

    public JobReadContext(string file, JobFileOptions options, List<ConfigurationError> errors)
    {
        Options = options;
        Errors = errors;
        ShownPath = file;
        FilePath = Path.GetFullPath(file);
        homeDirectory = Variable("HOME") ?? "";
    }

    public JobFileOptions Options { get; }

    public List<ConfigurationError> Errors { get; }

    public List<ConfigurationNote> Notes { get; } = [];

    /// <summary>The invalid CSV rows so far; see <see cref="JobFileOptions.KeepsBadRows"/>.</summary>
    public List<BadRow> BadRows { get; } = [];

    /// <summary>The job file's path as the user named it.</summary>
    public string ShownPath { get; }

    /// <summary>The job file's absolute path.</summary>
    public string FilePath { get; }

    /// <summary>Whether the job was given on the command line, so that there is no job file.</summary>
    public bool IsComposed { get; init; }

    /// <summary>
    /// Whether several jobs are requested. A missing secret of one job must not stop the others, so it is reported when that job runs.
    /// </summary>
    public bool HasSeveralJobs { get; init; }

    /// <summary>
    /// The absolute path of the CSV or LDIF file whose row is being read; empty when the rows come from a command, null when no row is
    /// being read. <see cref="TableName"/> is the name that error texts use for the file or command.
    /// </summary>
    public string? TableFile { get; init; }

    public string? TableName { get; init; }

    /// <summary>Files that were checked for an earlier row and need no second check. Null: every file is checked.</summary>
    public HashSet<string>? LookedInto { get; init; }

    /// <summary>Returns the absolute path of the file that a setting was written in.</summary>
    public string FileOf(SettingOrigin origin) => TableFile is not null && origin.Text == TableName ? TableFile : FilePath;

    public bool IsWanted(string name) => Options.Jobs.Count == 0 || Options.Jobs.Contains(name);

    public string? Variable(string name) => Options.Environment.GetValueOrDefault(name);

    public void Error(SettingOrigin origin, string message, string remedy) => Errors.Add(new ConfigurationError(origin, message, remedy));

    public void Note(SettingOrigin origin, string message) => Notes.Add(new ConfigurationNote(origin, message));

    /// <summary>Reads a duration. Returns null when the key is absent, or invalid, which is reported.</summary>
    public TimeSpan? Duration(SettingNode section, string key, bool atMostADay = false)
    {
        if (section.Text(key) is not { } text)
            return null;
        if (SettingText.TryDuration(text, out var duration) && duration <= (atMostADay ? TimeSpan.FromDays(1) : LongestTimer))
            return duration;
        Error(section.Origin(key), $"'{text}' is no length of time for '{key}'", atMostADay
            ? "write a number with s, m or h, for example 30s, at most 1d"
            : "write a number with s, m, h or d, for example 90s, 5m or 4h, at most 49d");
        return null;
    }

    /// <summary>
    /// Returns the absolute path: relative paths start at the job file's directory, <c>~/</c> at the home directory. Returns null for an
    /// invalid path, which is reported.
    /// </summary>
    public string? Resolve(SettingOrigin origin, string path)
    {
        if (path.Length == 0 || path.Any(char.IsControl))
        {
            Error(origin, "this is no path", "write a path without control characters");
            return null;
        }

        if (path == "~" || path.StartsWith("~/", StringComparison.Ordinal))
            path = homeDirectory + path[1..];
        return Path.TrimEndingDirectorySeparator(Path.GetFullPath(path, Path.GetDirectoryName(FilePath) ?? "/"));
    }

    /// <summary>Adds a note when other users can read a file that contains a secret.</summary>
    /// <param name="others">Permission bits. A note is added if the file has any of them.</param>
    /// <param name="what">The beginning of the note's text: the kind of file and its path.</param>
    public void NoteWhenReadableByOthers(SettingOrigin origin, string path, UnixFileMode others, string what)
    {
        if (OperatingSystem.IsWindows() || !File.Exists(path))
            return;
        if ((File.GetUnixFileMode(path) & others) != UnixFileMode.None)
            Note(origin, $"{what} can be read by other users; chmod 600 it");
    }

    public EnvironmentSecret EnvironmentSecret(string name) => new(name, Variable);
}

/// <summary>
/// Reads typed values from a section. Absent values and values of the wrong shape are null; <see cref="SchemaCheck"/> reports the latter.
/// </summary>
internal static class SectionValues
{
    public static string? Text(this SettingNode? section, string key) => section?[key]?.Value;

    public static SettingOrigin Origin(this SettingNode section, string key) => section[key]?.ValueOrigin ?? section.KeyOrigin;

    /// <summary>Returns the texts of a list with their origins; null when the key is absent.</summary>
    public static IReadOnlyList<(string Text, SettingOrigin Origin)>? List(this SettingNode? section, string key)
    {
        var node = section?[key];
        return node is null or { Kind: SettingKind.Nothing } ? null : node.Entries();
    }

    /// <summary>Returns the texts of a list node with their origins.</summary>
    public static IReadOnlyList<(string Text, SettingOrigin Origin)> Entries(this SettingNode node) =>
        node is { IsOverride: true, Kind: SettingKind.Value }
            ? [.. node.Value!.Split(',', StringSplitOptions.TrimEntries).Select(t => (t, node.ValueOrigin))]
            : [.. node.Items.Where(n => n.Kind == SettingKind.Value).Select(n => (n.Value!, n.ValueOrigin))];

    /// <summary>Returns the value of a choice; the first value when the key is absent or invalid.</summary>
    /// <param name="values">The words and their values, in the order of the schema's choices.</param>
    public static T Choice<T>(this SettingNode? section, string key, params ReadOnlySpan<(string Word, T Value)> values)
    {
        var text = section.Text(key);
        foreach (var (word, value) in values)
        {
            if (word == text)
                return value;
        }

        return values[0].Value;
    }
}
