using System.Text;
using Imapsync.Engine.Files;

namespace Imapsync.Engine.State;

/// <summary>
/// What a maintainer needs of a defect of the program: the piece <c>defect</c> of the job's state, with the last one's stack trace.
/// The report names it in a line.
/// </summary>
public static class DefectFile
{
    /// <returns>What the report says of the defect: what it is, and where to find more.</returns>
    public static async Task<string> KeepAsync(IStateMedium state, Exception defect, DateTimeOffset now)
    {
        var text = $"{defect.GetType().Name}: {defect.Message}";
        try
        {
            // Not made anew: a job that never got so far as to have one has little to tell.
            if (!await state.ExistsAsync(CancellationToken.None))
                return text;
            var content = Encoding.UTF8.GetBytes($"imapsync-defect {now:O} version {typeof(DefectFile).Assembly.GetName().Version} on {Environment.OSVersion}\n{defect}\n");
            await state.ReplaceAsync(StateName.Defect, content, CancellationToken.None);
            return $"{text}; this is a defect of imapsync, please report it with the file {state.Where(StateName.Defect)}";
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            return text;
        }
    }
}
