using System.Collections.Immutable;
using Imapsync.Engine.Progress;

namespace Imapsync.Engine.Verifying;

/// <summary>The result of a verification.</summary>
/// <param name="Job">Outcome, times, problems and notes; its counts of copied messages are empty.</param>
/// <param name="Findings">The first findings, at most <see cref="MaxFindings"/>.</param>
public sealed record VerifyReport(JobReport Job, VerifyCounts Counts, ImmutableArray<Finding> Findings)
{
    /// <summary>The most findings kept. Further findings are reported and counted, but not kept.</summary>
    public const int MaxFindings = 10_000;
}

/// <param name="Folders">Folder pairs verified to the end.</param>
/// <param name="Messages">Messages compared with their counterpart, or found to have none.</param>
/// <param name="Read">Messages among them whose contents were read.</param>
/// <param name="Found">Findings by kind, including those that are only information.</param>
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
