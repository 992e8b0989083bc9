using Imapsync.Servers.Tests;
using Imapsync.Tests.Support;

[assembly: AssemblyFixture(typeof(BigMailbox))]
[assembly: System.Runtime.Versioning.UnsupportedOSPlatform("windows")]

namespace Imapsync.Servers.Tests;

/// <summary>
/// A mailbox that many tests share and none changes: 20,000 ordinary messages in twelve folders, and folders and messages with unusual
/// names and contents. The first test that needs it creates it.
/// </summary>
public sealed class BigMailbox : IAsyncDisposable
{
    public const int Messages = 20_000;

    private readonly Lazy<Task<Content>> content;
    private readonly TempDir dir = new();

    public BigMailbox() => content = new Lazy<Task<Content>>(MakeAsync);

    public Task<Content> ReadyAsync() => content.Value;

    public async ValueTask DisposeAsync()
    {
        if (content.IsValueCreated)
            await (await content.Value).Server.DisposeAsync();
        dir.Dispose();
    }

    private async Task<Content> MakeAsync()
    {
        MailGenerator.Fill(dir["mail"], new MailboxPlan { Messages = Messages, AwkwardNames = true, AwkwardMessages = true });
        var server = await DovecotServer.StartAsync(dir["server"], new DovecotOptions { Maildir = dir["mail"], Plugins = "imap_zlib" });
        await server.TakeOwnershipAsync(dir["mail"]);
        await using var probe = await ImapProbe.ConnectAsync(server, "alice");
        return new Content(server, await probe.SnapshotAsync());
    }

    /// <param name="Expected">The mailbox as the server shows it over IMAP.</param>
    public sealed record Content(DovecotServer Server, MailboxSnapshot Expected);
}
