using System.Text;
using Imapsync.Engine.Files;

namespace Imapsync.Engine.State;

/// <summary>
/// What a maintainer needs of a defect of the program: the file <c>defect</c> in the job's state directory, with the last one's stack trace.
/// The report names it in a line.
/// </summary>
public static class DefectFile
{
    private const string Name = "defect";

    /// <returns>What the report says of the defect: what it is, and where to find more.</returns>
    public static async Task<string> KeepAsync(string stateDirectory, Exception defect, DateTimeOffset now)
    {
        var text = $"{defect.GetType().Name}: {defect.Message}";
        var path = Path.Combine(stateDirectory, Name);
        try
        {
            // Not made anew: a job that never got so far as to have one has little to tell.
            if (!Directory.Exists(stateDirectory))
                return text;
            var content = Encoding.UTF8.GetBytes($"imapsync-defect {now:O} version {typeof(DefectFile).Assembly.GetName().Version} on {Environment.OSVersion}\n{defect}\n");
            await DurableFiles.ReplaceAsync(path, async (file, c) => await file.WriteAsync(content, c), CancellationToken.None);
            return $"{text}; this is a defect of imapsync, please report it with the file {path}";
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            return text;
        }
    }
}
