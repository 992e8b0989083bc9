using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;

namespace Imapsync.CommandLine;

/// <summary>What the process tells the shell. A documented promise: docs/command-line.md.</summary>
internal static class ExitStatus
{
    /// <summary>All of it is in place.</summary>
    public const int Ok = 0;

    public const int Failed = 1;

    /// <summary>The command line or the job file can't be right.</summary>
    public const int Usage = 2;

    /// <summary>Ran to the end, but something is not in place.</summary>
    public const int Incomplete = 3;

    /// <summary>Another run holds the job.</summary>
    public const int Locked = 10;

    public const int CannotConnect = 11;

    public const int AuthenticationRefused = 12;

    public const int DeletionLimit = 13;

    /// <summary>Of <c>status</c>: a job had no success for too long, or never.</summary>
    public const int TooOld = 14;

    public const int Interrupted = 130;

    public const int Terminated = 143;

    /// <summary>Each with what it says, for people.</summary>
    public static IReadOnlyList<(int Status, string Meaning)> Meanings { get; } =
    [
        (Ok, "All of it is in place."),
        (Failed, "Failed."),
        (Usage, "The command line or the job file can't be right, and nothing was done; or a password is not to be had."),
        (Incomplete, "Ran to its end, but something is not in place; or stopped at a limit of its own, and the next run goes on."),
        (Locked, "Another run holds the job."),
        (CannotConnect, "A server can't be reached."),
        (AuthenticationRefused, "A log-in was refused."),
        (DeletionLimit, "Stopped by the deletion limit."),
        (TooOld, "Of imapsync status alone: a job had no success for longer than --max-age, or never."),
        (Interrupted, "Interrupted by SIGINT; what was copied is saved."),
        (Terminated, "Interrupted by SIGTERM; what was copied is saved."),
    ];

    /// <summary>From the one that counts most: what a person must act on comes before what the next run may find gone.</summary>
    private static readonly int[] Ranking =
        [Terminated, Interrupted, Usage, Failed, DeletionLimit, AuthenticationRefused, CannotConnect, Locked, Incomplete, Ok];

    /// <param name="interrupted"><see cref="Interrupted"/> or <see cref="Terminated"/>: what a cancelled job means.</param>
    public static int Of(JobReport report, int interrupted = Interrupted) => (report.Outcome, report.Stop) switch
    {
        (JobOutcome.Cancelled, _) or (_, StopReason.Cancelled) => interrupted,
        (_, StopReason.Locked) => Locked,
        (_, StopReason.Configuration) => Usage,
        (_, StopReason.Connect) => CannotConnect,
        (_, StopReason.Authentication) => AuthenticationRefused,
        (_, StopReason.DeletionLimit) => DeletionLimit,
        (JobOutcome.Ok, StopReason.None) => Ok,
        (JobOutcome.Incomplete, _) => Incomplete,
        _ => Failed,
    };

    public static int Of(MailException failure) => failure.Kind switch
    {
        FailureKind.Connect => CannotConnect,
        FailureKind.Configuration => Usage,
        FailureKind.Authentication => AuthenticationRefused,
        _ => Failed,
    };

    /// <summary>Several jobs: the worst counts.</summary>
    public static int Worst(IEnumerable<int> statuses) =>
        statuses.DefaultIfEmpty(Ok).MinBy(s => Array.IndexOf(Ranking, s) is var rank && rank < 0 ? 0 : rank);
}
