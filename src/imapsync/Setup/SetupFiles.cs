using System.Text;
using Imapsync.Engine.Configuration;
using Imapsync.Engine.Files;

namespace Imapsync.CommandLine.Setup;

/// <summary>The files written by a setup: either all of them or none, each readable by its owner only.</summary>
/// <param name="force">Whether existing files may be replaced.</param>
internal sealed class SetupFiles(bool force)
{
    private readonly List<(string Path, string Text)> files = [];

    public void Add(string path, string text) => files.Add((path, text));

    /// <exception cref="ConfigurationException">A file already exists or can't be written. No new file then remains.</exception>
    public async Task WriteAsync()
    {
        foreach (var (path, _) in files.Where(f => !force && Path.Exists(f.Path)))
            throw Questions.Wrong(path, "there is such a file already", "give another name, or --force to replace it");
        var written = new List<string>();
        var current = "";
        try
        {
            foreach (var (path, text) in files)
            {
                current = path;
                await DurableFiles.CreateDirectoryAsync(Path.GetDirectoryName(path)!, CancellationToken.None);
                var isNew = !Path.Exists(path);
                await OutputFile.WriteAsync(path, file => file.WriteAsync(new UTF8Encoding(false).GetBytes(text)).AsTask());
                if (isNew)
                    written.Add(path);
            }
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            foreach (var path in written)
                File.Delete(path);
            throw Questions.Wrong(current, $"it can't be written: {e.Message}", "look at the directory and its permissions");
        }
    }
}
