using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Imapsync.Engine.Files;

namespace Imapsync.CommandLine.Output;

/// <summary>Writes the file of <c>--report</c>. It appears complete or not at all, and only its owner can read it, since it names folders.</summary>
internal static class ReportFile
{
    /// <summary>Checks before the work begins whether the report can be written; reports the error if not.</summary>
    /// <param name="path">The report's path; null for no report.</param>
    public static async Task<bool> MayBeWrittenAsync(string? path, TextWriter error, string option = "--report")
    {
        try
        {
            if (path is not null)
                OutputFile.RequireWritable(path);
            return true;
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            await error.WriteLineAsync(TerminalText.Escape($"{option} {path}: {FileErrors.Explain(e)}"));
            return false;
        }
    }

    /// <summary>Writes the report if one was requested. It can't be cancelled, since an interrupted run must still report what it did.</summary>
    /// <param name="path">The report's path; null for no report.</param>
    /// <returns>The exit status for writing the report.</returns>
    public static Task<int> TryWriteAsync<T>(string? path, T document, JsonTypeInfo<T> type, TextWriter error) =>
        TryWriteAsync(path, file => SerializeAsync(file, document, type, CancellationToken.None), error);

    /// <inheritdoc cref="TryWriteAsync{T}"/>
    public static async Task<int> TryWriteAsync(string? path, Func<Stream, Task> write, TextWriter error)
    {
        if (path is null)
            return ExitStatus.Ok;
        try
        {
            await OutputFile.WriteAsync(path, write);
            return ExitStatus.Ok;
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            await error.WriteLineAsync(TerminalText.Escape($"the report {path} could not be written: {FileErrors.Explain(e)}"));
            return ExitStatus.Failed;
        }
    }

    /// <exception cref="IOException">The file can't be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The process has no permission to write the file.</exception>
    public static Task WriteAsync<T>(string path, T document, JsonTypeInfo<T> type, CancellationToken cancellationToken) =>
        OutputFile.WriteAsync(path, file => SerializeAsync(file, document, type, cancellationToken));

    private static async Task SerializeAsync<T>(Stream file, T document, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        await JsonSerializer.SerializeAsync(file, document, type, cancellationToken);
        await file.WriteAsync("\n"u8.ToArray(), cancellationToken);
    }
}
