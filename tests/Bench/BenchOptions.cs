namespace Imapsync.Bench;

/// <summary>What a call of <c>tests/bench.sh</c> asks for.</summary>
internal sealed record BenchOptions
{
    /// <summary>The published program that is measured.</summary>
    public required string Program { get; init; }

    /// <summary>How often each contender runs in each case.</summary>
    public int Runs { get; init; } = 3;

    /// <summary>Messages of the ordinary mailbox.</summary>
    public int Messages { get; init; } = 20_000;

    /// <summary>Folders of the mailbox with many folders, one message in each.</summary>
    public int Folders { get; init; } = 5000;

    /// <summary>Accounts that one process works through.</summary>
    public int Accounts { get; init; } = 200;

    /// <summary>There and back, on both lines of the cases with a distance.</summary>
    public TimeSpan RoundTrip { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Size of the one big message.</summary>
    public int HugeMiB { get; init; } = 1024;

    /// <summary>A directory on a real disk, for the case that shows what durability costs.</summary>
    public string? Disk { get; init; }

    /// <summary>Names of contenders that do not run.</summary>
    public IReadOnlyCollection<string> Without { get; init; } = [];

    public string? JsonFile { get; init; }
}
