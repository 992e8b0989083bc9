using System.Text;
using Imapsync.Engine.Files;

namespace Imapsync.Engine.State;

/// <summary>
/// Writes the <c>defect</c> piece of the job's state: the stack trace of the last unexpected exception, which is a bug of this program. It
/// is for the program's maintainers; the job's report refers to it in one line.
/// </summary>
public static class DefectFile
{
    /// <returns>The report's text: the exception, and where to find more.</returns>
    public static async Task<string> KeepAsync(IStateMedium state, Exception defect, DateTimeOffset now)
    {
        var text = $"{defect.GetType().Name}: {defect.Message}";
        try
        {
            // No state is created just to record the defect, since a job that failed so early has little information about it.
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
