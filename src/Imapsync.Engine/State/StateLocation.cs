using Imapsync.Engine.Mail;

namespace Imapsync.Engine.State;

/// <summary>Identifies a job's state, independent of the medium. A plain value: creating one accesses nothing.</summary>
/// <param name="Job">Identifies the job's state among others. For state in files: the absolute path of its directory.</param>
/// <param name="Part">Names a separate state that belongs to the job, such as that of a restore; null for the job's own state.</param>
public readonly record struct StateLocation(string Job, string? Part = null)
{
    /// <summary>The directory of a state that is kept in files.</summary>
    public string Directory => Part is null ? Job : Path.Combine(Job, Part);
}

/// <summary>The name of one piece of a job's state.</summary>
public readonly record struct StateName
{
    /// <summary>The summary of each folder pair at the end of the last run.</summary>
    public static readonly StateName Summary = new("summary") { IsHeld = true };

    /// <summary>See <see cref="AppendMark"/>.</summary>
    public static readonly StateName Appending = new("appending") { IsHeld = true };

    /// <summary>See <see cref="AccountMark"/>.</summary>
    public static readonly StateName Accounts = new("accounts") { IsHeld = true };

    /// <summary>See <see cref="State.TrashOrigins"/>.</summary>
    public static readonly StateName TrashOrigins = new("removed") { IsHeld = true };

    /// <summary>See <see cref="SampleCursor"/>.</summary>
    public static readonly StateName VerifyCursor = new("verify");

    public static readonly StateName SourceBudget = new("budget-source");

    public static readonly StateName TargetBudget = new("budget-target");

    /// <summary>See <see cref="DefectFile"/>.</summary>
    public static readonly StateName Defect = new("defect");

    /// <summary>The log of what was done with the job, such as its runs.</summary>
    public static readonly StateName History = new("history");

    private StateName(string word) => Word = word;

    /// <summary>The piece's name: ASCII letters and hyphens.</summary>
    public string Word { get; }

    /// <summary>The folder pair that a journal belongs to; null for any other piece.</summary>
    public PairKey? Pair { get; private init; }

    /// <summary>True if only the run that has the job's lock may write this piece.</summary>
    public bool IsHeld { get; private init; }

    /// <summary>Returns the name of the journal that keeps one folder pair's checkpoint.</summary>
    public static StateName Journal(PairKey pair) => new("journal") { Pair = pair, IsHeld = true };
}
