using Imapsync.Engine.Configuration;

namespace Imapsync.Engine.Tests.Configuration;

public sealed class TenMistakesTests
{
    private const string Text = """
        jobs:
          - name: alice
            sorce:
              url: imaps://alice:hunter2@imap.example.com
            source:
              url: imaps://alice@imap.example.com
              pasword_env: ALICE_PASSWORD
              password_file: /nonexistent/alice
              tls: none
              tls_ca_file: missing-ca.pem
              connections: many
            target:
              url: maildir:backup
              layout: nested
            messages:
              since: yesterday
              max_size: huge
            flags: [follow]
            flags: once
            deletion_limit: 120%
        """;

    [Theory]
    [InlineData("job.yaml:3:5: unknown key 'sorce'; did you mean 'source'?")]
    [InlineData("job.yaml:7:7: unknown key 'pasword_env'; did you mean 'password_env'?")]
    [InlineData("job.yaml:8:22: password file /nonexistent/alice can't be read: there is no such file; ")]
    [InlineData("job.yaml:9:12: 'tls: none' contradicts an imaps: URL; ")]
    [InlineData("job.yaml:10:7: 'tls_ca_file' contradicts 'tls: none'; ")]
    [InlineData("job.yaml:10:20: /jobs/missing-ca.pem can't be read: there is no such file; ")]
    [InlineData("job.yaml:11:20: 'many' is no number of connections; write a number from 1 to 32")]
    [InlineData("job.yaml:14:15: 'nested' is no value for 'layout'; it is one of maildir++, fs")]
    [InlineData("job.yaml:16:14: 'yesterday' is no date for 'since'; ")]
    [InlineData("job.yaml:17:17: 'huge' is no size for 'max_size'; ")]
    [InlineData("job.yaml:18:12: 'flags' must be a single value, not a list; ")]
    [InlineData("job.yaml:19:5: 'flags' is given twice here; ")]
    [InlineData("job.yaml:20:21: '120%' is no limit; ")]
    public void Each_of_many_mistakes_is_reported_with_its_line_and_a_remedy(string expected) =>
        Assert.Contains(Read(), error => error.StartsWith(expected, StringComparison.Ordinal));

    [Fact]
    public void Nothing_but_the_mistakes_is_reported_and_no_password_is_repeated()
    {
        Assert.Equal(13, Read().Count);
        Assert.DoesNotContain(Read(), error => error.Contains("hunter2", StringComparison.Ordinal));
    }

    private static List<string> Read()
    {
        var e = Assert.Throws<ConfigurationException>(() => JobFileReader.Parse("/jobs/job.yaml", Text, new JobFileOptions { StateRoot = "/state" }));
        return [.. e.Errors.Select(error => error.ToString().Replace("/jobs/job.yaml", "job.yaml", StringComparison.Ordinal))];
    }
}
