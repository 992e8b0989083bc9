using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Imapsync.Engine.Files;

namespace Imapsync.CommandLine.Output;

/// <summary>The file of <c>--report</c>. It appears whole or not at all, readable for its owner only: it names folders.</summary>
internal static class ReportFile
{
    /// <summary>Before the work begins: false, and told, where the report could not be written.</summary>
    /// <param name="path">Null for no report.</param>
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

    /// <summary>Writes it, if it is wanted; not to be cancelled, since an interrupted run has to tell what it did.</summary>
    /// <param name="path">Null for no report.</param>
    /// <returns>What it makes of the exit status.</returns>
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

    /// <exception cref="IOException"/>
    /// <exception cref="UnauthorizedAccessException"/>
    public static Task WriteAsync<T>(string path, T document, JsonTypeInfo<T> type, CancellationToken cancellationToken) =>
        OutputFile.WriteAsync(path, file => SerializeAsync(file, document, type, cancellationToken));

    private static async Task SerializeAsync<T>(Stream file, T document, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        await JsonSerializer.SerializeAsync(file, document, type, cancellationToken);
        await file.WriteAsync("\n"u8.ToArray(), cancellationToken);
    }
}
