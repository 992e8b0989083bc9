namespace Imapsync.CommandLine.Manual;

/// <summary>The texts of the manual page imapsync(1) that are written by hand, since no table of the program contains them.</summary>
internal static class GeneralWords
{
    public const string SeveralJobs = "With several jobs the one that counts most decides: 143, 130, 2, 1, 13, 12, 11, 10, 3, 0.";

    public const string Signals =
        "The first SIGINT or SIGTERM finishes the messages in hand, saves, reports and ends with 130 or 143. The second drops what is in hand; "
        + "the next run finds out what had arrived. A third ends the process at once.";

    public static IReadOnlyList<ManualBlock> Description { get; } =
    [
        new Paragraph("It copies an IMAP or POP3 account, or mail in files, to a Maildir, to mbox files or to another IMAP account, and keeps every message's exact octets, flags, "
            + "keywords, date and folder. Each later run copies only what is new. Jobs are described in a file, see imapsync-job(5); imapsync init writes the first one."),
        new Paragraph("Text for people goes to standard error, data to standard output. It is not the Perl program of the same name."),
    ];

    public static IReadOnlyList<ManualBlock> Environment { get; } =
    [
        new Definition("XDG_STATE_HOME", "The state of jobs lies in the directory imapsync below it, by default below ~/.local/state."),
        new Definition("NO_COLOR", "Not empty: no colours."),
        new Definition("IMAPSYNC_OAUTH_CLIENT_ID", "The client to sign in with by OAuth 2 where the job file names none."),
        new Definition("BROWSER", "What imapsync login --browser opens an address with."),
        new Definition("OTEL_EXPORTER_OTLP_ENDPOINT", "The collector that run, copy and restore send spans and figures to by OTLP; unset, nothing is sent. OpenTelemetry's other variables hold as well."),
        new Definition("CREDENTIALS_DIRECTORY", "Where systemd puts a service's credentials; imapsync-signin-key of them encrypts sign-ins."),
    ];

    public static IReadOnlyList<ManualBlock> Files { get; } =
    [
        new Definition("~/.local/state/imapsync/JOB/", "What is remembered between runs: checkpoints, the lock, the history, a sign-in. Without it the next run compares source and target again."),
        new Definition("/etc/imapsync/NAME.yaml", "The job file of the service imapsync@NAME, where the Debian package is installed. Its state lies below /var/lib/imapsync."),
    ];
}
