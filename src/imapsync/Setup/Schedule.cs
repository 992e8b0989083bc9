using System.Globalization;
using Imapsync.Engine.Configuration;

namespace Imapsync.CommandLine.Setup;

/// <summary>What starts a job by itself, every day.</summary>
/// <param name="Program">The command that is started.</param>
/// <param name="JobFile">Absolute.</param>
/// <param name="At">The time of day.</param>
/// <param name="User">Whose job it is, for a unit of the system; null for a unit of the user's own.</param>
internal sealed record Schedule(string Name, string Program, string JobFile, TimeOnly At, string? User = null)
{
    private const string SystemUnits = "/etc/systemd/system";

    /// <summary>An @ would make an instance of a template of it.</summary>
    public string UnitName => "imapsync-" + string.Concat(Name.Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' ? c : '-'));

    public string Service => $"""
        [Unit]
        Description=imapsync run {Escape(JobFile)}
        Wants=network-online.target
        After=network-online.target

        [Service]
        Type=oneshot{(User is null ? "" : $"\nUser={User}")}
        ExecStart={Quote(Program)} run {Quote(JobFile)}
        Nice=10
        NoNewPrivileges=yes

        """;

    public string Timer => $"""
        [Unit]
        Description=Starts {UnitName}.service every day

        [Timer]
        OnCalendar=*-*-* {At.ToString("HH:mm", CultureInfo.InvariantCulture)}:00
        RandomizedDelaySec=10m
        Persistent=true

        [Install]
        WantedBy=timers.target

        """;

    /// <summary>A line of a crontab, in which a percent sign would end the command (crontab(5)).</summary>
    public string CronLine => $"{At.Minute} {At.Hour} * * *  {ShellWord.Quote(Program)} run {ShellWord.Quote(JobFile)}".Replace("%", "\\%", StringComparison.Ordinal);

    /// <summary>The directory of units.</summary>
    public string Units(IReadOnlyDictionary<string, string> environment) =>
        User is not null ? SystemUnits
        : Path.Combine(environment.GetValueOrDefault("XDG_CONFIG_HOME") is { } config && Path.IsPathRooted(config) ? config : Path.Combine(environment.GetValueOrDefault("HOME") ?? "/", ".config"), "systemd", "user");

    /// <summary>What starts the timer, a command a line.</summary>
    public IEnumerable<string> Commands()
    {
        var user = User is null ? "--user " : "";
        yield return $"systemctl {user}daemon-reload && systemctl {user}enable --now {UnitName}.timer";
        if (User is null)
            yield return "loginctl enable-linger     (or it runs only while you are logged in)";
    }

    /// <summary>The program as it was started; a build that another program runs has only its name.</summary>
    public static string ThisProgram() => Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "imapsync" ? path : "imapsync";

    /// <summary>systemd.service(5), "Command lines": quotes, and no specifier or variable.</summary>
    private static string Quote(string word) =>
        $"\"{Escape(word).Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("$", "$$", StringComparison.Ordinal)}\"";

    private static string Escape(string text) => text.Replace("%", "%%", StringComparison.Ordinal);
}
