using System.Text;
using Imapsync.Engine.Configuration;
using Imapsync.Engine.Tests.Copying;

namespace Imapsync.Engine.Tests.Configuration;

/// <summary>A job file with half a million mistakes: only the first ones are reported, and little memory is used.</summary>
[Collection(nameof(MemoryBoundsTests))]
public sealed class ManyMistakesTests
{
    private const int Many = 500_000;

    [Theory]
    [InlineData("unknown keys")]
    [InlineData("unknown keys of a job")]
    [InlineData("jobs without anything")]
    [InlineData("keys twice")]
    [InlineData("entries that are no text")]
    public void Half_a_million_of_them_are_told_in_few_words(string kind)
    {
        var text = Write(kind);
        var before = GC.GetTotalAllocatedBytes(precise: true);
        var error = Assert.Throws<ConfigurationException>(() => JobFileReader.Parse("jobs.yaml", text, new JobFileOptions()));
        var allocated = GC.GetTotalAllocatedBytes(precise: true) - before;
        Assert.True(error.Errors.Count is > 0 and <= 101, $"{error.Errors.Count} errors");
        Assert.True(error.Message.Length < 60_000, $"{error.Message.Length} characters");
        Assert.True(allocated < Many * 900L, $"{allocated / Many} octets a mistake: {error.Errors[^1]}");
    }

    private static string Write(string kind)
    {
        var text = new StringBuilder("jobs:\n  - name: a\n    source: { url: maildir:/a }\n    target: { url: maildir:/b }\n");
        if (kind == "entries that are no text")
            text.Append("    folders:\n      exclude:\n");
        for (var n = 0; n < Many; n++)
        {
            _ = kind switch
            {
                "unknown keys" => text.Append($"key{n}: 1\n"),
                "unknown keys of a job" => text.Append($"    key{n}: 1\n"),
                "jobs without anything" => text.Append("  - {}\n"),
                "keys twice" => text.Append("    flags: once\n"),
                _ => text.Append("        - []\n"),
            };
        }

        return text.ToString();
    }
}
