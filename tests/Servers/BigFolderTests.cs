using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests;

/// <summary>
/// One big folder on a source that throttles each connection. Several connections read it, and its messages arrive in order.
/// </summary>
public sealed class BigFolderTests
{
    private const int Messages = 400;
    private static readonly FaultRules Thin = new() { BytesPerSecond = 2_000_000 };

    [Fact]
    public async Task Connections_that_no_other_folder_needs_read_it_too_and_the_order_stays()
    {
        await using var lab = await StartAsync();
        lab.Job.Line.Rules = Thin;

        var outcome = await lab.SucceedAsync();

        Assert.Equal(Messages, outcome.Total("copied"));
        Assert.InRange(Readers(lab), 2, 4);
        var (source, target) = (await lab.Job.SourceAsync(), await lab.TargetAsync());
        Assert.Equal("", target.DifferenceFrom(source));
        Assert.Equal(Order(source), Order(target));
    }

    [Fact]
    public async Task With_one_connection_allowed_there_is_one()
    {
        await using var lab = await StartAsync();
        lab.Job.Line.Rules = Thin;
        lab.Job.Endpoint += "\n      connections: 1";

        await lab.SucceedAsync();

        Assert.Single(lab.Job.Line.Connections);
    }

    [Fact]
    public async Task A_connection_that_breaks_costs_nothing_but_time()
    {
        await using var lab = await StartAsync();
        var made = 0;
        // The first connection lists the folder and fetches messages. The second and third are cut while they fetch.
        lab.Job.Line.NextRules = () => ++made is 2 or 3 ? Thin with { CutAfterFromServer = 700_000 } : Thin;

        var outcome = await lab.SucceedAsync();

        Assert.Equal(Messages, outcome.Total("copied"));
        Assert.NotEmpty(lab.Job.Line.Faults);
        var (source, target) = (await lab.Job.SourceAsync(), await lab.TargetAsync());
        Assert.Equal("", target.DifferenceFrom(source));
    }

    private static async Task<MigrationLab> StartAsync() => await MigrationLab.StartAsync(mailbox =>
    {
        for (var i = 0; i < Messages; i++)
            mailbox.Add("INBOX", MailGenerator.Message(i, 20_000), MailGenerator.Date(i), i % 3 == 0 ? "S" : "");
    });

    private static int Readers(MigrationLab lab) =>
        lab.Job.Line.Connections.Count(c => c.Commands.Any(l => l.Contains("BODY.PEEK[]", StringComparison.Ordinal)));

    private static IEnumerable<string> Order(MailboxSnapshot mailbox) => mailbox.Folders["INBOX"].Messages.Select(m => m.Digest);
}
