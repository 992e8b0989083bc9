using System.Text;
using Imapsync.Engine.Files;

namespace Imapsync.Engine.State;

/// <summary>
/// How a job's last run ended, in its state: the file is taken away when a run begins and written when it ends, so a run that
/// was killed has none. Written without waiting for the disk: lost in a power cut, the job counts as unfinished, which it may be.
/// </summary>
public static class LastOutcome
{
    private const string Name = "outcome";
    private const string Magic = "imapsync-outcome 1\n";
    private const int MaxBytes = 256;

    /// <summary>The word that <see cref="Write"/> was given; null where no run has ended since the last one began.</summary>
    public static string? Read(string stateDirectory)
    {
        try
        {
            using var file = Posix.OpenRead(Path.Combine(stateDirectory, Name));
            Span<byte> buffer = stackalloc byte[MaxBytes];
            var text = Encoding.ASCII.GetString(buffer[..RandomAccess.Read(file, buffer, 0)]);
            return text.StartsWith(Magic, StringComparison.Ordinal) && text.EndsWith('\n') ? text[Magic.Length..^1] : null;
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            return null;
        }
    }

    /// <summary>A run begins.</summary>
    internal static void Forget(string stateDirectory)
    {
        if (Directory.Exists(stateDirectory))
            File.Delete(Path.Combine(stateDirectory, Name));
    }

    /// <summary>A run ends. What keeps it from being written is no failure of the run.</summary>
    internal static void Write(string stateDirectory, string word)
    {
        var path = Path.Combine(stateDirectory, Name);
        try
        {
            if (!Directory.Exists(stateDirectory))
                return;
            using (var file = new FileStream(Posix.CreateAnew(path + DurableFiles.TemporarySuffix), FileAccess.Write, bufferSize: 0))
                file.Write(Encoding.ASCII.GetBytes($"{Magic}{word}\n"));
            Posix.Rename(path + DurableFiles.TemporarySuffix, path);
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            // Then the job counts as unfinished.
        }
    }
}
