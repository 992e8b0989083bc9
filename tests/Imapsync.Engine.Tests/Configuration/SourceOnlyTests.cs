using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores;
using Imapsync.Engine.Stores.Pop3;

namespace Imapsync.Engine.Tests.Configuration;

/// <summary>Stores that can only be a source, and their settings.</summary>
public sealed class SourceOnlyTests : JobFileFixture
{
    private const string State = "    state: ./state\n";

    [Fact]
    public void Every_kind_of_store_has_schemes_of_its_own_and_says_how_its_URL_is_written()
    {
        var schemes = StoreRegistry.Kinds.SelectMany(k => k.Schemes).ToList();
        Assert.Equal(schemes.Count, schemes.Distinct(StringComparer.Ordinal).Count());
        Assert.All(StoreRegistry.Kinds, k => Assert.All(k.UrlForms, f => Assert.Contains(f.Split(':')[0], k.Schemes)));
    }

    [Fact]
    public void Every_kind_that_is_only_read_is_refused_as_a_target_with_a_remedy()
    {
        var scheme = StoreRegistry.Kinds.Where(k => k.IsSourceOnly).SelectMany(k => k.Schemes).ToList();
        Assert.NotEmpty(scheme);
        foreach (var one in scheme)
        {
            var kind = StoreRegistry.Kinds.First(k => k.Schemes.Contains(one));
            var url = kind.IsServer ? $"{one}://alice@mail.example" : $"{one}:place";
            var error = Error($"jobs:\n  - name: a\n    source:\n      url: maildir:from\n    target:\n      url: {url}\n{State}");
            Assert.Contains("none can be written", error, StringComparison.Ordinal);
            Assert.Contains("maildir:PATH", error, StringComparison.Ordinal);
            Assert.Contains("job.yaml:6:", error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_POP3_account_has_the_settings_of_servers_and_its_own()
    {
        var file = Read($"jobs:\n  - name: a\n    source:\n      url: pop3s://alice@mail.example\n      password: x\n      auth: cram-md5\n      after_copy: delete\n    target:\n      url: maildir:to\n{State}");
        var endpoint = Assert.IsType<Pop3Endpoint>(file.Jobs[0].Source);
        Assert.Equal((995, TlsMode.Implicit, true, AuthMechanism.CramMd5), (endpoint.Port, endpoint.Tls, endpoint.DeletesAfterCopy, endpoint.Auth));
        Assert.Equal("pop3s://alice@mail.example:995", endpoint.Display);
    }

    [Theory]
    [InlineData("      connections: 2\n", "", "'connections' means nothing to a pop3: store")]
    [InlineData("      compress: true\n", "", "'compress' means nothing to a pop3: store")]
    [InlineData("      after_copy: remove\n", "", "'remove' is no value for 'after_copy'")]
    [InlineData("      after_copy: delete\n", "    deletions: mirror\n", "'after_copy: delete' empties the source")]
    [InlineData("", "    flags: exact\n", "'flags: exact' would take all flags from the target")]
    public void What_makes_no_sense_with_POP3_is_an_error(string endpoint, string job, string message)
    {
        var error = Error($"jobs:\n  - name: a\n    source:\n      url: pop3://alice@mail.example\n      password: x\n{endpoint}    target:\n      url: maildir:to\n{job}{State}");
        Assert.Contains(message, error, StringComparison.Ordinal);
    }

    [Fact]
    public void After_copy_means_nothing_to_another_store()
    {
        var error = Error($"jobs:\n  - name: a\n    source:\n      url: imaps://alice@mail.example\n      password: x\n      after_copy: delete\n    target:\n      url: maildir:to\n{State}");
        Assert.Contains("'after_copy' means nothing to a imaps: store", error, StringComparison.Ordinal);
    }
}
