using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.RegularExpressions;

namespace Imapsync.Tests.Support;

/// <summary>
/// An IMAP client that reads and changes a mailbox without the product's code, to check the product independently. Anything unexpected
/// throws.
/// </summary>
public sealed partial class ImapProbe : IAsyncDisposable
{
    private readonly ImapProbeReader reader;
    private readonly Stream stream;
    private int tag;

    private ImapProbe(Stream stream)
    {
        this.stream = stream;
        reader = new ImapProbeReader(stream);
    }

    /// <param name="authority">The authority to trust, for TLS from the first octet; null for clear text.</param>
    public static async Task<ImapProbe> ConnectAsync(int port, string user, string password, TestAuthority? authority = null)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync("127.0.0.1", port);
        Stream line = new NetworkStream(socket, ownsSocket: true);
        if (authority is not null)
        {
            var tls = new SslStream(line);
            var policy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
            };
            policy.CustomTrustStore.Add(X509CertificateLoader.LoadCertificateFromFile(authority.CaFile));
            await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "localhost", CertificateChainPolicy = policy });
            line = tls;
        }

        var probe = new ImapProbe(line);
        await probe.reader.ReadAsync();
        await probe.CommandAsync("AUTHENTICATE PLAIN " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"\0{user}\0{password}")));
        return probe;
    }

    public static Task<ImapProbe> ConnectAsync(DovecotServer server, string user) =>
        ConnectAsync(server.TlsPort, user, server.Password, server.Authority);

    /// <summary>Sends a command and returns its untagged replies; throws unless the answer is OK.</summary>
    public async Task<IReadOnlyList<ProbeReply>> CommandAsync(string command)
    {
        var name = $"p{++tag}";
        await stream.WriteAsync(Encoding.UTF8.GetBytes($"{name} {command}\r\n"));
        var replies = new List<ProbeReply>();
        while (true)
        {
            var reply = await reader.ReadAsync();
            if (!reply.Text.StartsWith(name + " ", StringComparison.Ordinal))
                replies.Add(reply);
            else if (reply.Text.StartsWith(name + " OK", StringComparison.OrdinalIgnoreCase))
                return replies;
            else
                throw new InvalidOperationException($"{command.Split(' ')[0]}: {reply.Text}");
        }
    }

    /// <summary>Adds a message to a folder, as another client would.</summary>
    /// <param name="hasLiteralPlus">Whether the server supports LITERAL+. If false, waits for the continuation request.</param>
    public async Task AppendAsync(string folder, ReadOnlyMemory<byte> octets, string flags = "", DateTimeOffset? internalDate = null, bool hasLiteralPlus = true)
    {
        var date = internalDate is { } d ? $"\"{d.UtcDateTime.ToString("dd-MMM-yyyy HH:mm:ss", CultureInfo.InvariantCulture)} +0000\" " : "";
        await stream.WriteAsync(Encoding.UTF8.GetBytes($"p0 APPEND {Quote(folder)} ({flags}) {date}{{{octets.Length}{(hasLiteralPlus ? "+" : "")}}}\r\n"));
        if (!hasLiteralPlus && await reader.ReadAsync() is var go && !go.Text.StartsWith('+'))
            throw new InvalidOperationException("APPEND: " + go.Text);
        await stream.WriteAsync(octets);
        await stream.WriteAsync("\r\n"u8.ToArray());
        ProbeReply reply;
        do
            reply = await reader.ReadAsync();
        while (!reply.Text.StartsWith("p0 ", StringComparison.Ordinal));
        if (!reply.Text.StartsWith("p0 OK", StringComparison.Ordinal))
            throw new InvalidOperationException("APPEND: " + reply.Text);
    }

    /// <summary>Lists every selectable folder, with its decoded name (levels separated by <c>/</c>) and whether it is subscribed.</summary>
    public async Task<IReadOnlyList<(string Name, bool Subscribed)>> ListAsync()
    {
        var folders = new List<(string, bool)>();
        foreach (var reply in await CommandAsync("LIST \"\" \"*\" RETURN (SUBSCRIBED)"))
        {
            if (ListReply().Match(reply.Text) is not { Success: true } match
                || NotSelectable().IsMatch(match.Groups["attributes"].Value))
                continue;
            var name = match.Groups["quoted"].Success
                ? Escaped().Replace(match.Groups["quoted"].Value, "${next}")
                : match.Groups["size"].Success ? Encoding.UTF8.GetString(reply.Literals[0]) : match.Groups["atom"].Value;
            folders.Add((ModifiedUtf7.Decode(name), match.Groups["attributes"].Value.Contains("\\Subscribed", StringComparison.Ordinal)));
        }

        return folders;
    }

    public async Task<IReadOnlyList<ProbeMessage>> FetchAsync(string folder)
    {
        await CommandAsync("EXAMINE " + Quote(folder));
        var messages = new List<ProbeMessage>();
        foreach (var reply in await CommandAsync("UID FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])"))
        {
            if (!FetchReply().IsMatch(reply.Text))
                continue;
            var (digest, length) = reply.Body ?? throw new InvalidOperationException("no body: " + reply.Text);
            messages.Add(new ProbeMessage(
                uint.Parse(UidItem().Match(reply.Text).Groups["uid"].Value),
                new SnapshotMessage(
                    digest,
                    length,
                    SnapshotMessage.Canonical(FlagsItem().Match(reply.Text).Groups["flags"].Value.Split(' ')),
                    DateTimeOffset.ParseExact(DateItem().Match(reply.Text).Groups["date"].Value.Trim(), "d-MMM-yyyy HH:mm:ss zzz", CultureInfo.InvariantCulture))));
        }

        return messages;
    }

    public async Task<MailboxSnapshot> SnapshotAsync()
    {
        var mailbox = new MailboxSnapshot();
        foreach (var (name, subscribed) in await ListAsync())
            mailbox.Add(name, subscribed, (await FetchAsync(name)).Select(m => m.Message));
        return mailbox;
    }

    /// <summary>Returns a folder's name as a quoted string in wire form.</summary>
    public static string Quote(string folder) =>
        "\"" + ModifiedUtf7.Encode(folder).Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal) + "\"";

    public async ValueTask DisposeAsync() => await stream.DisposeAsync();

    [GeneratedRegex("""^\* LIST \((?<attributes>[^)]*)\) (?:"(?:\\?.)"|NIL) (?:"(?<quoted>.*)"|\{(?<size>\d+)\}|(?<atom>\S+))$""", RegexOptions.None, 60_000)]
    private static partial Regex ListReply();

    [GeneratedRegex("""\\(?:Noselect|NonExistent)""", RegexOptions.IgnoreCase, 60_000)]
    private static partial Regex NotSelectable();

    [GeneratedRegex("""\\(?<next>.)""", RegexOptions.None, 60_000)]
    private static partial Regex Escaped();

    [GeneratedRegex(@"^\* \d+ FETCH ", RegexOptions.None, 60_000)]
    private static partial Regex FetchReply();

    [GeneratedRegex(@"\bUID (?<uid>\d+)", RegexOptions.None, 60_000)]
    private static partial Regex UidItem();

    [GeneratedRegex(@"FLAGS \((?<flags>[^)]*)\)", RegexOptions.None, 60_000)]
    private static partial Regex FlagsItem();

    [GeneratedRegex("INTERNALDATE \"(?<date>[^\"]*)\"", RegexOptions.None, 60_000)]
    private static partial Regex DateItem();
}

public sealed record ProbeMessage(uint Uid, SnapshotMessage Message);
