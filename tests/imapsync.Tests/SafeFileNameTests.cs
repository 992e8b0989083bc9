using System.Text;
using Imapsync.Engine.Files;
using Imapsync.Tests.Support;

namespace Imapsync.CommandLine.Tests;

/// <summary>Names of exported files. They must obey the rules of every file system that exports may be written to.</summary>
public sealed class SafeFileNameTests
{
    private static readonly string[] Words =
    [
        "CON", "con", "Nul", "COM1", "lpt\u00b9", "AUX ", "conin$", ".", "..", " ", "-", "~", "_", "a", "é", "\U0001F600", "\u202e", "\0", "\n", "/", "\\", ":", "*", "?", "\"", "<", ">", "|",
        ".txt", ".eml", ".", "x.tar.gz", "日本", new string('w', 160), new string('.', 170), new string('é', 90),
    ];

    [Fact]
    public void Whatever_it_is_made_of_Windows_and_exFAT_can_hold_it()
    {
        var seed = Seeds.Next();
        var random = new Random(seed);
        for (var i = 0; i < 20_000; i++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(1, 5)).Select(_ => Words[random.Next(Words.Length)]));
            var name = SafeFileName.Of(text, "otherwise");
            Assert.True(IsGood(name), $"'{text}' became '{name}', seed {seed}");
        }
    }

    [Theory]
    [InlineData("CON", "_CON")]
    [InlineData("con.tar.gz", "_con.tar.gz")]
    [InlineData("Com\u00b2 .txt", "_Com\u00b2.txt")]
    [InlineData("console.txt", "console.txt")]
    [InlineData("COM10", "COM10")]
    [InlineData("a.", "a")]
    [InlineData("a. . .", "a")]
    public void A_device_of_Windows_is_none_any_more(string text, string name) => Assert.Equal(name, SafeFileName.Of(text, "otherwise"));

    /// <summary>Whether a name obeys Microsoft's "Naming Files, Paths, and Namespaces", without the product's code.</summary>
    private static bool IsGood(string name)
    {
        var stem = name.Split('.')[0].TrimEnd(' ').ToUpperInvariant();
        var isDevice = stem is "CON" or "PRN" or "AUX" or "NUL" or "CONIN$" or "CONOUT$"
            || (stem.Length == 4 && (stem.StartsWith("COM", StringComparison.Ordinal) || stem.StartsWith("LPT", StringComparison.Ordinal)) && "0123456789\u00b9\u00b2\u00b3".Contains(stem[3], StringComparison.Ordinal));
        return !isDevice && name.Length is > 0 and < 250 && Encoding.UTF8.GetByteCount(name) < 250 && name[^1] is not (' ' or '.') && name[0] is not ('.' or '-' or ' ')
            && !name.Any(c => c < ' ' || "<>:\"/\\|?*".Contains(c, StringComparison.Ordinal));
    }
}
