using System.Globalization;
using Imapsync.Engine.Configuration;

namespace Imapsync.CommandLine.Setup;

/// <summary>A daily schedule for a job.</summary>
/// <param name="Program">The command to start.</param>
/// <param name="JobFile">An absolute path.</param>
/// <param name="At">The time of day.</param>
/// <param name="User">The user that runs the job in a system unit; null for a user unit.</param>
internal sealed record Schedule(string Name, string Program, string JobFile, TimeOnly At, string? User = null)
{
    private const string SystemUnits = "/etc/systemd/system";

    /// <summary>The systemd unit's name. It contains no @, which would make it an instance of a template.</summary>
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

    /// <summary>The job's crontab line. Percent signs are escaped, since they would end the command (crontab(5)).</summary>
    public string CronLine => $"{At.Minute} {At.Hour} * * *  {ShellWord.Quote(Program)} run {ShellWord.Quote(JobFile)} --quiet".Replace("%", "\\%", StringComparison.Ordinal);

    /// <summary>Returns the directory for the systemd unit files.</summary>
    public string Units(IReadOnlyDictionary<string, string> environment) =>
        User is not null ? SystemUnits
        : Path.Combine(environment.GetValueOrDefault("XDG_CONFIG_HOME") is { } config && Path.IsPathRooted(config) ? config : Path.Combine(environment.GetValueOrDefault("HOME") ?? "/", ".config"), "systemd", "user");

    /// <summary>Returns the commands that enable the timer, one per line.</summary>
    public IEnumerable<string> Commands()
    {
        var user = User is null ? "--user " : "";
        yield return $"systemctl {user}daemon-reload && systemctl {user}enable --now {UnitName}.timer";
        if (User is null)
            yield return "loginctl enable-linger     (or it runs only while you are logged in)";
    }

    /// <summary>Returns the path of this program. When it was started by another program such as dotnet, only the name is returned.</summary>
    public static string ThisProgram() => Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "imapsync" ? path : "imapsync";

    /// <summary>Quotes an argument for a unit file, with specifiers and variables escaped (systemd.service(5), "Command lines").</summary>
    private static string Quote(string word) =>
        $"\"{Escape(word).Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("$", "$$", StringComparison.Ordinal)}\"";

    private static string Escape(string text) => text.Replace("%", "%%", StringComparison.Ordinal);
}
