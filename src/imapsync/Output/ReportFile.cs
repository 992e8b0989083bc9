using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Imapsync.Engine.Progress;

namespace Imapsync.CommandLine.Output;

/// <summary>The file of <c>--report</c>. It appears whole or not at all, readable for its owner only: it names folders.</summary>
internal static class ReportFile
{
    /// <exception cref="IOException"/>
    /// <exception cref="UnauthorizedAccessException"/>
    public static Task WriteAsync(string path, IEnumerable<JobReport> reports, CancellationToken cancellationToken) =>
        WriteAsync(path, ReportJson.Of(reports), DocumentJson.Default.ReportJson, cancellationToken);

    /// <exception cref="IOException"/>
    /// <exception cref="UnauthorizedAccessException"/>
    public static async Task WriteAsync<T>(string path, T document, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        path = Path.GetFullPath(path);
        var temporary = $"{path}.{Environment.ProcessId}.tmp";
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        try
        {
            File.Delete(temporary);
            await using (var file = new FileStream(temporary, options))
            {
                await JsonSerializer.SerializeAsync(file, document, type, cancellationToken);
                file.WriteByte((byte)'\n');
                file.Flush(flushToDisk: true);
            }

            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }
}
