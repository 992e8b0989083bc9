using Imapsync.Engine.Configuration;

namespace Imapsync.CommandLine.Setup;

/// <summary>The choices from the command line of <c>imapsync init</c>; null for those left open.</summary>
internal sealed record InitChoices
{
    public string? Address { get; init; }

    public string? SourceUrl { get; init; }

    /// <summary>The source's settings.</summary>
    public IReadOnlyList<GivenSetting> Source { get; init; } = [];

    /// <summary>Whether to use OAuth instead of a password when the provider supports it.</summary>
    public bool PrefersOAuth { get; init; }

    public string? To { get; init; }

    public IReadOnlyList<GivenSetting> Target { get; init; } = [];

    public IReadOnlyList<string>? Exclude { get; init; }

    public string? Deletions { get; init; }

    public string? Name { get; init; }

    public string? File { get; init; }

    /// <summary>How passwords are stored: <c>file</c> or <c>env</c>.</summary>
    public string KeepPassword { get; init; } = "file";

    /// <summary>How the job is scheduled: <c>no</c>, <c>systemd-user</c>, <c>systemd-system</c> or <c>cron</c>.</summary>
    public string? Schedule { get; init; }

    public TimeOnly At { get; init; } = new(2, 15);

    /// <summary>Whether to run the job after setup: <c>yes</c> or <c>no</c>.</summary>
    public string? Run { get; init; }

    public bool TakesDefaults { get; init; }

    public bool Force { get; init; }
}
