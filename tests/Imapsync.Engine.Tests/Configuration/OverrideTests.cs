using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Tests.Configuration;

public sealed class OverrideTests : JobFileFixture
{
    [Theory]
    [InlineData("IMAPSYNC__JOBS__0__TARGET__URL")]
    [InlineData("IMAPSYNC__alice__target__url")]
    [InlineData("IMAPSYNC__ALICE__TARGET__URL")]
    public void The_environment_beats_the_file(string variable)
    {
        Environment[variable] = "mbox:/elsewhere";
        Assert.Equal(new MboxEndpoint("/elsewhere"), Read(File(Job())).Jobs[0].Target);
    }

    [Fact]
    public void The_command_line_beats_the_environment()
    {
        Environment["IMAPSYNC__alice__target__url"] = "mbox:/elsewhere";
        Assert.Equal(new MboxEndpoint("/third"), Read(File(Job()), "alice.target.url=mbox:/second", "jobs.0.target.url=mbox:/third").Jobs[0].Target);
    }

    [Fact]
    public void A_name_with_dots_can_be_given_by_both()
    {
        var text = File(Job(name: "alice@example.com"));
        Environment["IMAPSYNC__alice_example_com__source__connections"] = "5";
        var job = Read(text, "alice@example.com.target.layout=fs").Jobs[0];
        Assert.Equal((5, MaildirLayout.Fs), (((ImapEndpoint)job.Source).Connections, ((MaildirEndpoint)job.Target).Layout));
    }

    [Fact]
    public void A_whole_section_can_come_from_outside()
    {
        var job = Read(File(Job()), "alice.folders.exclude=Junk, Lists/**", "alice.folders.map.Sent Items=Sent", "alice.messages.max_size=1MiB").Jobs[0];
        Assert.Equal(["Junk", "Lists/**"], job.Folders.Exclude);
        Assert.Equal(new FolderPath("Sent"), job.Folders.Map[new FolderPath("Sent Items")]);
        Assert.Equal(1 << 20, job.Messages.MaxSizeBytes);
    }

    [Fact]
    public void One_member_of_a_list_or_the_whole_list_can_be_replaced()
    {
        var text = File(Job(job: "folders: { include: [a, b] }"));
        Assert.Equal(["a", "c"], Read(text, "alice.folders.include.1=c").Jobs[0].Folders.Include);
        Assert.Equal(["d"], Read(text, "alice.folders.include=d").Jobs[0].Folders.Include);
    }

    [Fact]
    public void An_empty_value_takes_a_setting_away()
    {
        Environment["OTHER"] = "x";
        var source = Source(Read(File(Job("password_file: /none")), "alice.source.password_file=", "alice.source.password_env=OTHER"));
        Assert.Equal("environment variable OTHER", source.Password!.ToString());
    }

    [Fact]
    public void A_mistake_in_an_override_names_it()
    {
        Environment["IMAPSYNC__alice__source__connections"] = "many";
        var errors = Errors(File(Job()), "alice.targte.url=x", "alcie.target.url=x", "nonsense", "alice=1", "alice.source.url.x=1");
        Assert.Contains("environment variable IMAPSYNC__alice__source__connections: 'many' is no number of connections; write a number from 1 to 32", Errors(File(Job())));
        Assert.Contains("--set alice.targte.url: unknown key 'targte'; did you mean 'target'?", errors);
        Assert.Contains("--set alcie.target.url: this names no job of the file; did you mean 'alice'?", errors);
        Assert.Contains(errors, e => e.StartsWith("--set: this is no KEY=VALUE", StringComparison.Ordinal));
        Assert.Contains(errors, e => e.StartsWith("--set alice: this names no job of the file", StringComparison.Ordinal));
        Assert.Contains(errors, e => e.StartsWith("--set alice.source.url.x: 'url' must be a single value", StringComparison.Ordinal));
    }

    [Fact]
    public void A_password_on_the_command_line_is_refused_and_not_repeated()
    {
        var error = Error(File(Job()), "alice.source.password=hunter2");
        Assert.StartsWith("--set alice.source.password: every user of this machine can read a password on the command line", error, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", error, StringComparison.Ordinal);
    }
}
