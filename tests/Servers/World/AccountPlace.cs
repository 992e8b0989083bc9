using Imapsync.Engine.Mail;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests.World;

/// <summary>
/// An account of a real server. Mail comes and goes as files, as delivery agents write them. Folders change by an IMAP client.
/// </summary>
internal sealed class AccountPlace : MaildirPlace, IAsyncDisposable
{
    private readonly string user;

    public AccountPlace(DovecotServer server, string user, int connections)
        : base(server.MaildirOf(user))
    {
        (Server, this.user) = (server, user);
        Line = new LyingLine(server.Port);
        Endpoint = new ImapEndpoint("127.0.0.1", Line.Port, TlsMode.None, user) { Password = new KnownSecret(server.Password), Connections = connections };
    }

    public override DovecotServer Server { get; }

    public override LyingLine Line { get; }

    public override Endpoint Endpoint { get; }

    public async Task OpenAsync()
    {
        await CommandAsync("SELECT INBOX");
        // Dovecot creates INBOX when its first message arrives.
        foreach (var part in (string[])["cur", "new", "tmp"])
            System.IO.Directory.CreateDirectory(Path.Combine(Directory, part));
        await Server.TakeOwnershipAsync(Directory);
    }

    public override Task CreateFolderAsync(string folder) => CommandAsync("CREATE " + ImapProbe.Quote(folder));

    public override Task DeleteFolderAsync(string folder) => CommandAsync("DELETE " + ImapProbe.Quote(folder));

    public override Task RenameFolderAsync(string from, string to) => CommandAsync($"RENAME {ImapProbe.Quote(from)} {ImapProbe.Quote(to)}");

    /// <summary>
    /// Deletes the indexes. MODSEQs and caches start again; UIDs and UIDVALIDITY stay, because dovecot-uidlist holds them.
    /// </summary>
    public override void LoseIndex(Random random)
    {
        foreach (var (_, path) in Folders().Where(_ => random.Next(2) == 0))
        {
            foreach (var file in System.IO.Directory.GetFiles(path, "dovecot.index*"))
                File.Delete(file);
        }
    }

    public ValueTask DisposeAsync() => Line.DisposeAsync();

    public override async Task GiveUidsAsync()
    {
        await using var probe = await ImapProbe.ConnectAsync(Server.Port, user, Server.Password);
        foreach (var (name, _) in Folders().ToList())
            await probe.CommandAsync("EXAMINE " + ImapProbe.Quote(name));
        await probe.CommandAsync("LOGOUT");
    }

    private async Task CommandAsync(string command)
    {
        await using var probe = await ImapProbe.ConnectAsync(Server.Port, user, Server.Password);
        await probe.CommandAsync(command);
        await probe.CommandAsync("LOGOUT");
    }
}
