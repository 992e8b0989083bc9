using System.Globalization;
using Imapsync.Engine.Files;

namespace Imapsync.Engine.Snapshots;

/// <summary>The state of a backup at one time: <c>mail/</c>, a Maildir tree, and <c>state/</c>, the job's state at that time.</summary>
/// <param name="Taken">When the snapshot was taken, in UTC and whole seconds.</param>
public sealed record Snapshot(string Directory, DateTimeOffset Taken)
{
    private const string NameForm = "yyyy-MM-dd'T'HH-mm-ss'Z'";

    public string Name => NameOf(Taken);

    public string Mail => Path.Combine(Directory, "mail");

    public string State => Path.Combine(Directory, "state");

    /// <summary>
    /// Locks the snapshot against deletion until the result is disposed of. Returns null when the snapshot does not exist or is being
    /// deleted.
    /// </summary>
    public IDisposable? TryHold()
    {
        try
        {
            var held = Posix.TryLockDirectory(Directory, isShared: true);
            if (held is null || System.IO.Directory.Exists(Mail))
                return held;
            held.Dispose();
            return null;
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            return null;
        }
    }

    public static string NameOf(DateTimeOffset taken) => taken.UtcDateTime.ToString(NameForm, CultureInfo.InvariantCulture);

    public static bool TryParseName(string name, out DateTimeOffset taken) =>
        DateTimeOffset.TryParseExact(name, NameForm, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out taken);
}
