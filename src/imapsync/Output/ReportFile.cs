using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Imapsync.Engine.Durability;

namespace Imapsync.CommandLine.Output;

/// <summary>The file of <c>--report</c>. It appears whole or not at all, readable for its owner only: it names folders.</summary>
internal static class ReportFile
{
    /// <summary>Before the work begins: false, and told, where there is no directory for the report.</summary>
    /// <param name="path">Null for no report.</param>
    public static async Task<bool> HasDirectoryAsync(string? path, TextWriter error)
    {
        if (path is null || Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(path))))
            return true;
        await error.WriteLineAsync(TerminalText.Escape($"--report {path}: there is no such directory; create it first"));
        return false;
    }

    /// <summary>Writes it, if it is wanted; not to be cancelled, since an interrupted run has to tell what it did.</summary>
    /// <param name="path">Null for no report.</param>
    /// <returns>What it makes of the exit status.</returns>
    public static async Task<int> TryWriteAsync<T>(string? path, T document, JsonTypeInfo<T> type, TextWriter error)
    {
        if (path is null)
            return ExitStatus.Ok;
        try
        {
            await WriteAsync(path, document, type, CancellationToken.None);
            return ExitStatus.Ok;
        }
        catch (Exception e) when (FileTrouble.Is(e))
        {
            await error.WriteLineAsync(TerminalText.Escape($"the report {path} could not be written: {FileTrouble.Explain(e)}"));
            return ExitStatus.Failed;
        }
    }

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
