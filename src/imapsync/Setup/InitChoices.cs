using Imapsync.Engine.Configuration;

namespace Imapsync.CommandLine.Setup;

/// <summary>What the command line of <c>imapsync init</c> says; null for what it leaves open.</summary>
internal sealed record InitChoices
{
    public string? Address { get; init; }

    public string? SourceUrl { get; init; }

    /// <summary>Keys of an endpoint.</summary>
    public IReadOnlyList<GivenSetting> Source { get; init; } = [];

    /// <summary>No password where the provider has OAuth.</summary>
    public bool PrefersOAuth { get; init; }

    public string? To { get; init; }

    public IReadOnlyList<GivenSetting> Target { get; init; } = [];

    public IReadOnlyList<string>? Exclude { get; init; }

    public string? Deletions { get; init; }

    public string? Name { get; init; }

    public string? File { get; init; }

    /// <summary><c>file</c> or <c>env</c>.</summary>
    public string KeepPassword { get; init; } = "file";

    /// <summary><c>no</c>, <c>systemd-user</c>, <c>systemd-system</c> or <c>cron</c>.</summary>
    public string? Schedule { get; init; }

    public TimeOnly At { get; init; } = new(2, 15);

    /// <summary><c>yes</c> or <c>no</c>.</summary>
    public string? Run { get; init; }

    public bool TakesDefaults { get; init; }

    public bool Force { get; init; }
}
