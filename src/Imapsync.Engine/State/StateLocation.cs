using Imapsync.Engine.Mail;

namespace Imapsync.Engine.State;

/// <summary>Which job's state is meant, on whatever medium. A value: making one touches nothing.</summary>
/// <param name="Job">Tells the job's state from others'. Of state in files, its directory, absolute.</param>
/// <param name="Part">A state of its own that belongs to the job's, such as what a restore remembers; null for the job's.</param>
public readonly record struct StateLocation(string Job, string? Part = null)
{
    /// <summary>Of state in files.</summary>
    public string Directory => Part is null ? Job : Path.Combine(Job, Part);
}

/// <summary>The name of one piece of a job's state.</summary>
public readonly record struct StateName
{
    /// <summary>How each pair stood at the end of the last run.</summary>
    public static readonly StateName Summary = new("summary") { IsHeld = true };

    /// <summary>See <see cref="AppendMark"/>.</summary>
    public static readonly StateName Appending = new("appending") { IsHeld = true };

    /// <summary>See <see cref="State.TrashOrigins"/>.</summary>
    public static readonly StateName TrashOrigins = new("removed") { IsHeld = true };

    /// <summary>See <see cref="SampleCursor"/>.</summary>
    public static readonly StateName VerifyCursor = new("verify");

    public static readonly StateName SourceBudget = new("budget-source");

    public static readonly StateName TargetBudget = new("budget-target");

    /// <summary>See <see cref="DefectFile"/>.</summary>
    public static readonly StateName Defect = new("defect");

    /// <summary>What was done with the job.</summary>
    public static readonly StateName History = new("history");

    private StateName(string word) => Word = word;

    /// <summary>ASCII letters and hyphens.</summary>
    public string Word { get; }

    /// <summary>Of a journal: whose.</summary>
    public PairKey? Pair { get; private init; }

    /// <summary>Only the holder of the job writes it.</summary>
    public bool IsHeld { get; private init; }

    /// <summary>The checkpoint of one pair.</summary>
    public static StateName Journal(PairKey pair) => new("journal") { Pair = pair, IsHeld = true };
}
