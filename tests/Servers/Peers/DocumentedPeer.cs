using System.Text;

namespace Imapsync.Servers.Tests.Peers;

/// <summary>A page of docs/coming-from: its examples, made to work on the machine of a test.</summary>
internal sealed class DocumentedPeer
{
    private readonly string text;

    private DocumentedPeer(string text) => this.text = text;

    public static DocumentedPeer Read(string name) => new(File.ReadAllText(Path.Combine(Root(), "docs", "coming-from", name + ".md")));

    /// <summary>The other program's configuration: the first block that is none of ours.</summary>
    public string Theirs(params ReadOnlySpan<(string Written, string Here)> changes) => Change(Blocks().First(b => b.Language is "" or "ini").Text, changes);

    /// <summary>The job files, in order.</summary>
    public string Job(int number, params ReadOnlySpan<(string Written, string Here)> changes) => Change(Blocks().Where(b => b.Language == "yaml").ElementAt(number).Text, changes);

    /// <summary>The words of a command line of ours that stands in the page, without the program's name.</summary>
    public string[] Command(string name, params ReadOnlySpan<(string Written, string Here)> changes) => Change(
        Blocks().SelectMany(b => b.Text.Split('\n')).First(l => l.StartsWith($"imapsync {name} ", StringComparison.Ordinal)), changes).Split(' ')[1..];

    /// <summary>Everything that is to be changed must stand in the example, so that nothing of it escapes the test.</summary>
    private static string Change(string example, ReadOnlySpan<(string Written, string Here)> changes)
    {
        foreach (var (written, here) in changes)
        {
            Assert.Contains(written, example, StringComparison.Ordinal);
            example = example.Replace(written, here, StringComparison.Ordinal);
        }

        return example;
    }

    private IEnumerable<(string Language, string Text)> Blocks()
    {
        var (language, block) = ((string?)null, new StringBuilder());
        foreach (var line in text.Split('\n'))
        {
            if (!line.StartsWith("```", StringComparison.Ordinal))
            {
                if (language is not null)
                    block.Append(line).Append('\n');
                continue;
            }

            if (language is null)
            {
                (language, block) = (line[3..], new StringBuilder());
            }
            else
            {
                yield return (language, block.ToString());
                language = null;
            }
        }
    }

    private static string Root()
    {
        var directory = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(directory, "imapsync.sln")))
            directory = Path.GetDirectoryName(directory) ?? throw new InvalidOperationException("the repository's root is not above the tests");
        return directory;
    }
}
