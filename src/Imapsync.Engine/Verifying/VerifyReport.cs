using System.Collections.Immutable;
using Imapsync.Engine.Progress;

namespace Imapsync.Engine.Verifying;

/// <summary>What a verification came to.</summary>
/// <param name="Job">Outcome, times, problems and notes; its counts of copied messages are empty.</param>
/// <param name="Findings">The first of them, at most <see cref="MaxFindings"/>.</param>
public sealed record VerifyReport(JobReport Job, VerifyCounts Counts, ImmutableArray<Finding> Findings)
{
    /// <summary>Findings beyond these were told as they came up and are counted, but not kept.</summary>
    public const int MaxFindings = 10_000;
}

/// <param name="Folders">Folder pairs looked at to the end.</param>
/// <param name="Messages">Messages held against their counterpart, or found to have none.</param>
/// <param name="Read">Of those: messages whose contents were read.</param>
/// <param name="Found">Findings by kind, those for information included.</param>
/// <param name="Differences">Findings that break what the job promises.</param>
public sealed record VerifyCounts(int Folders, long Messages, long Read, ImmutableDictionary<FindingKind, long> Found, long Differences)
{
    public static VerifyCounts None { get; } = new(0, 0, 0, ImmutableDictionary<FindingKind, long>.Empty, 0);

    public long this[FindingKind kind] => Found.GetValueOrDefault(kind);

    public static VerifyCounts operator +(VerifyCounts a, VerifyCounts b) => new(
        a.Folders + b.Folders,
        a.Messages + b.Messages,
        a.Read + b.Read,
        a.Found.Keys.Union(b.Found.Keys).ToImmutableDictionary(k => k, k => a[k] + b[k]),
        a.Differences + b.Differences);
}
