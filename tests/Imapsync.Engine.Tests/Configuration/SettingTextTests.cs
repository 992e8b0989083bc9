using Imapsync.Engine.Configuration;

namespace Imapsync.Engine.Tests.Configuration;

public sealed class SettingTextTests
{
    [Theory]
    [InlineData("0", 0)]
    [InlineData("1500", 1500)]
    [InlineData("50MB", 50_000_000)]
    [InlineData("1.5 kib", 1536)]
    [InlineData("2GiB", 2L << 30)]
    [InlineData("7B", 7)]
    public void A_size_is_read(string text, long bytes)
    {
        Assert.True(SettingText.TrySize(text, out var read));
        Assert.Equal(bytes, read);
    }

    [Theory]
    [InlineData("")]
    [InlineData("MB")]
    [InlineData("-1")]
    [InlineData("1e9")]
    [InlineData("50 megabytes")]
    [InlineData("999999999999TB")]
    public void What_is_no_size_is_refused(string text) => Assert.False(SettingText.TrySize(text, out _));

    [Theory]
    [InlineData("90s", 90)]
    [InlineData("5m", 300)]
    [InlineData("1.5h", 5400)]
    [InlineData("366d", 366 * 86_400)]
    public void A_length_of_time_is_read(string text, int seconds)
    {
        Assert.True(SettingText.TryDuration(text, out var duration));
        Assert.Equal(TimeSpan.FromSeconds(seconds), duration);
    }

    [Theory]
    [InlineData("")]
    [InlineData("h")]
    [InlineData("5")]
    [InlineData("0s")]
    [InlineData("-5m")]
    [InlineData("367d")]
    [InlineData("99999999999999999999999999999d")]
    [InlineData("4 hours")]
    public void What_is_no_length_of_time_is_refused(string text) => Assert.False(SettingText.TryDuration(text, out _));

    [Theory]
    [InlineData("2020-01-31", "2020-01-31T00:00:00Z")]
    [InlineData("2020-01-31T18:30Z", "2020-01-31T18:30:00Z")]
    [InlineData("2020-01-31T18:30:05+02:00", "2020-01-31T16:30:05Z")]
    [InlineData("2020-01-31 18:30", "2020-01-31T18:30:00Z")]
    public void A_date_is_read(string text, string expected)
    {
        Assert.True(SettingText.TryDate(text, out var date));
        Assert.Equal(DateTimeOffset.Parse(expected), date);
    }

    [Theory]
    [InlineData("31.1.2020")]
    [InlineData("2020-02-30")]
    [InlineData("2020")]
    public void What_is_no_date_is_refused(string text) => Assert.False(SettingText.TryDate(text, out _));

    [Theory]
    [InlineData("pasword", "password", 1)]
    [InlineData("sorce", "source", 1)]
    [InlineData("tagret", "target", 1)]
    [InlineData("", "abc", 3)]
    public void Edits_are_counted(string a, string b, int distance) => Assert.Equal(distance, EditDistance.Between(a, b));

    [Fact]
    public void A_word_that_is_like_nothing_has_no_nearest() => Assert.Null(EditDistance.Nearest("zebra", ["source", "target"]));

    [Fact]
    public void Every_key_of_the_schema_is_documented()
    {
        var document = File.ReadAllText(Path.Combine(RepositoryRoot(), "docs", "job-file.md"));
        foreach (var key in JobSchema.Root.SelectMany(WithKeysBelow))
        {
            Assert.Contains($"`{key.Name}`", document, StringComparison.Ordinal);
            foreach (var choice in key.Choices)
                Assert.Contains($"`{choice}`", document, StringComparison.Ordinal);
        }
    }

    private static IEnumerable<SettingKey> WithKeysBelow(SettingKey key) => [key, .. key.Keys.SelectMany(WithKeysBelow)];

    private static string RepositoryRoot()
    {
        var directory = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(directory, "imapsync.sln")))
            directory = Path.GetDirectoryName(directory) ?? throw new InvalidOperationException("the repository's root is not above the tests");
        return directory;
    }
}
