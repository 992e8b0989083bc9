using Imapsync.Engine.Configuration;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;

namespace Imapsync.CommandLine;

/// <summary>The exit statuses of the process. They are documented in docs/command-line.md and must stay compatible.</summary>
internal static class ExitStatus
{
    /// <summary>All mail is at the target.</summary>
    public const int Ok = 0;

    public const int Failed = 1;

    /// <summary>The command line or the job file is invalid.</summary>
    public const int Usage = 2;

    /// <summary>The run reached its end, but not all mail is at the target.</summary>
    public const int Incomplete = 3;

    /// <summary>Another run holds the job's lock.</summary>
    public const int Locked = 10;

    public const int CannotConnect = 11;

    public const int AuthenticationRefused = 12;

    public const int DeletionLimit = 13;

    /// <summary>For <c>status</c>: a job has had no success for too long, or never.</summary>
    public const int TooOld = 14;

    public const int Interrupted = 130;

    public const int Terminated = 143;

    /// <summary>All statuses, each with its meaning as the help and the manual explain it.</summary>
    public static IReadOnlyList<(int Status, string Meaning)> Meanings { get; } =
    [
        (Ok, "All of it is in place."),
        (Failed, "Failed."),
        (Usage, "The command line or the job file can't be right, and nothing was done; or rows of an account list make no job, and only the others were worked on; or a password is not to be had."),
        (Incomplete, "Ran to its end, but something is not in place; or stopped at a limit of its own, and the next run goes on."),
        (Locked, "Another run holds the job."),
        (CannotConnect, "A server can't be reached."),
        (AuthenticationRefused, "A log-in was refused."),
        (DeletionLimit, "Stopped by the deletion limit."),
        (TooOld, "Of imapsync status alone: a job had no success for longer than --max-age, or never."),
        (Interrupted, "Interrupted by SIGINT; what was copied is saved."),
        (Terminated, "Interrupted by SIGTERM; what was copied is saved."),
    ];

    /// <summary>The statuses in order of precedence: errors that a person must fix come before those that the next run may resolve.</summary>
    private static readonly int[] Ranking =
        [Terminated, Interrupted, Usage, Failed, DeletionLimit, AuthenticationRefused, CannotConnect, Locked, Incomplete, Ok];

    /// <summary>Returns the exit status for a job.</summary>
    /// <param name="interrupted">The status for a cancelled job: <see cref="Interrupted"/> or <see cref="Terminated"/>.</param>
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

    /// <summary>Returns the exit status for the rows of an account list from which no job could be created.</summary>
    public static int Of(IReadOnlyCollection<BadRow> rows) => rows.Count > 0 ? Usage : Ok;

    /// <summary>Returns the exit status for several jobs, which is the most severe one.</summary>
    public static int Worst(IEnumerable<int> statuses) =>
        statuses.DefaultIfEmpty(Ok).MinBy(s => Array.IndexOf(Ranking, s) is var rank && rank < 0 ? 0 : rank);
}
