using Imapsync.Engine.Jobs;

namespace Imapsync.Engine.Tests.Configuration;

public sealed class FolderRulesTests : JobFileFixture
{
    private const string ToServer = "url: imaps://bob@mail.example.org\n      password_env: ALICE_PASSWORD";

    [Theory]
    [InlineData(false, "", SpecialUsePolicy.Names)]
    [InlineData(true, "", SpecialUsePolicy.Match)]
    [InlineData(true, "folders: { exclude: [Junk] }", SpecialUsePolicy.Match)]
    [InlineData(true, "folders: { special_use: names }", SpecialUsePolicy.Names)]
    [InlineData(false, "folders: { special_use: match }", SpecialUsePolicy.Match)]
    [InlineData(true, "folders: { prefix: Old/2020 }", SpecialUsePolicy.Names)]
    public void Special_uses_are_matched_into_accounts_and_kept_by_name_in_backups(bool isToServer, string rules, SpecialUsePolicy expected)
    {
        var text = File(Job(job: rules));
        var file = Read(isToServer ? text.Replace("url: maildir:backup/alice", ToServer, StringComparison.Ordinal) : text);
        Assert.Equal(expected, file.Jobs[0].Folders.SpecialUse);
        Assert.Equal(rules.Contains("prefix", StringComparison.Ordinal) ? "Old/2020" : null, file.Jobs[0].Folders.Prefix?.ToString());
    }

    [Fact]
    public void Uses_can_not_be_matched_below_a_prefix() =>
        Assert.Contains("contradicts 'prefix'", Error(File(Job(job: "folders: { special_use: match, prefix: Old }"))), StringComparison.Ordinal);

    [Fact]
    public void Access_rights_are_copied_between_accounts_alone()
    {
        var between = File(Job(job: "acl: copy\n    acl_map: { bob: bob@example.org, eve: '' }")).Replace("url: maildir:backup/alice", ToServer, StringComparison.Ordinal);
        var job = Read(between).Jobs[0];
        Assert.Equal(AclPolicy.Copy, job.Acl);
        Assert.Equal(["bob=bob@example.org", "eve="], job.AclMap.Select(m => $"{m.Key}={m.Value}").Order(StringComparer.Ordinal));
        Assert.Contains("on both sides", Error(File(Job(job: "acl: copy"))), StringComparison.Ordinal);
        Assert.Contains("says nothing without", Error(File(Job(job: "acl_map: { bob: rob }"))), StringComparison.Ordinal);
    }

    [Fact]
    public void A_prefix_with_an_empty_level_is_refused() =>
        Assert.Contains("'Old//x' is no folder", Error(File(Job(job: "folders: { prefix: Old//x }"))), StringComparison.Ordinal);
}
