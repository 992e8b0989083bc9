namespace Imapsync.Bench;

/// <summary>The options of <c>tests/bench.sh</c>.</summary>
internal sealed record BenchOptions
{
    /// <summary>The path of the published program to measure.</summary>
    public required string Program { get; init; }

    /// <summary>The number of times that each compared program (contender) runs in each case.</summary>
    public int Runs { get; init; } = 3;

    /// <summary>The number of messages in the ordinary mailbox.</summary>
    public int Messages { get; init; } = 20_000;

    /// <summary>The number of folders in the mailbox with many folders, each of which holds one message.</summary>
    public int Folders { get; init; } = 5000;

    /// <summary>The number of accounts in the case in which one process copies many accounts.</summary>
    public int Accounts { get; init; } = 200;

    /// <summary>The round-trip time of both connections in the cases with distant servers.</summary>
    public TimeSpan RoundTrip { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>The size of the one huge message.</summary>
    public int HugeMiB { get; init; } = 1024;

    /// <summary>A directory on a real disk, for the case that shows what durability costs.</summary>
    public string? Disk { get; init; }

    /// <summary>The names of contenders to leave out.</summary>
    public IReadOnlyCollection<string> Without { get; init; } = [];

    public string? JsonFile { get; init; }
}
