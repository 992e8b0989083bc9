namespace Imapsync.CommandLine.Tests;

/// <summary>The commands <c>imapsync login</c> and <c>logout</c> without a server. Tests with one are in tests/Servers.</summary>
public sealed class SignInCommandsTests : CommandLineFixture
{
    [Theory]
    [InlineData("imaps://alice@imap.example.com")]
    [InlineData("imap://alice@imap.example.com")]
    [InlineData("pop3s://alice@pop.example.com")]
    [InlineData("pop3://alice@pop.example.com")]
    public async Task A_side_signs_in_whatever_its_server_speaks(string url)
    {
        var file = Write("job.yaml", $$"""
            jobs:
              - name: alice
                source: { url: "{{url}}", oauth: { provider: outlook, client_id: c } }
                target: { url: "maildir:backup/alice" }
            """);
        Assert.Equal((0, ""), (await InvokeAsync("logout", file, "alice"), Error));
        Assert.Equal("source: nobody was signed in.\n", Out);
    }
}
