using System.Globalization;
using Imapsync.Engine.Files;

namespace Imapsync.Engine.Snapshots;

/// <summary>A backup as it was at one time: <c>mail/</c>, a Maildir tree, and <c>state/</c>, what the job remembered then.</summary>
/// <param name="Taken">Whole seconds, UTC.</param>
public sealed record Snapshot(string Directory, DateTimeOffset Taken)
{
    private const string NameForm = "yyyy-MM-dd'T'HH-mm-ss'Z'";

    public string Name => NameOf(Taken);

    public string Mail => Path.Combine(Directory, "mail");

    public string State => Path.Combine(Directory, "state");

    /// <summary>Keeps it from being forgotten until disposed of. Null where it is gone or is just being forgotten.</summary>
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
