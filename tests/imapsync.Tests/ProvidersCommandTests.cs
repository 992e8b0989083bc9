using System.Text.Json;
using Imapsync.Engine.Configuration;
using Imapsync.Engine.Providers;

namespace Imapsync.CommandLine.Tests;

/// <summary>The commands <c>providers</c> and <c>schema</c>.</summary>
public sealed class ProvidersCommandTests : CommandLineFixture
{
    [Fact]
    public async Task Every_provider_has_a_line()
    {
        Assert.Equal(0, await InvokeAsync("providers"));
        Assert.Equal(ProviderTable.Names, Out.Split('\n').Skip(1).Where(l => l.Length > 0).Select(l => l.Trim().Split(' ')[0]));
    }

    [Fact]
    public async Task One_is_shown_with_all_that_is_known_of_it()
    {
        Assert.Equal(0, await InvokeAsync("providers", "Gmail"));
        Assert.StartsWith("""
            gmail: Gmail and Google Workspace
              server:         imaps://imap.gmail.com
              sign-in:        app password or OAuth (oauth: google)
              user:           the whole address
              connections:    at most 15
              a day:          2.5 GB read, 500.0 MB written
            """, Out, StringComparison.Ordinal);
        Assert.EndsWith("  source: { provider: gmail, user: alice@gmail.com, password_file: … }\n", Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_that_is_misspelt_is_guessed()
    {
        Assert.Equal(2, await InvokeAsync("providers", "gmial"));
        Assert.Equal("NAME: 'gmial' is no provider that is known; did you mean 'gmail'?\n", Error);
    }

    [Fact]
    public async Task Programs_get_the_table_as_JSON_with_null_for_what_is_not_known()
    {
        Assert.Equal(0, await InvokeAsync("providers", "--output", "json"));
        var rows = JsonDocument.Parse(Out).RootElement.GetProperty("providers").EnumerateArray().ToDictionary(r => r.GetProperty("name").GetString()!);
        Assert.Equal(ProviderTable.Names.Length, rows.Count);
        Assert.Equal(2_500_000_000, rows["gmail"].GetProperty("bytes_read_per_day").GetInt64());
        Assert.Equal("starttls", rows["proton-bridge"].GetProperty("tls").GetString());
        Assert.Equal(JsonValueKind.Null, rows["dovecot"].GetProperty("host").ValueKind);
        Assert.Equal(JsonValueKind.Null, rows["posteo"].GetProperty("max_connections").ValueKind);
    }

    [Fact]
    public async Task The_schema_is_printed_as_it_is()
    {
        Assert.Equal(0, await InvokeAsync("schema"));
        Assert.Equal(JobSchemaDocument.Write(), Out);
        Assert.Equal("https://json-schema.org/draft/2020-12/schema", JsonDocument.Parse(Out).RootElement.GetProperty("$schema").GetString());
    }
}
