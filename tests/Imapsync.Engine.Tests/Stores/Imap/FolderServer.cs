using System.Text.RegularExpressions;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Imap;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Stores.Imap;

/// <summary>An IMAP server with folders but no mail; a test sets its behaviour.</summary>
internal sealed partial class FolderServer
{
    public string Capabilities { get; set; } = "IMAP4rev1 NAMESPACE";

    public string Namespaces { get; set; } = """(("" "/")) NIL NIL""";

    public char Delimiter { get; set; } = '/';

    /// <summary>Maps the folders' names, as on the wire, to their attributes.</summary>
    public Dictionary<string, string> Folders { get; } = new() { ["INBOX"] = "" };

    /// <summary>Returns the reason why a CREATE of this name is refused; null to accept it.</summary>
    public Func<string, string?> Refuses { get; set; } = _ => null;

    /// <summary>The access control list: folder, identifier, rights.</summary>
    public List<(string Folder, string Identifier, string Rights)> Acl { get; } = [];

    /// <summary>The status that STATUS reports for each folder; null to report none.</summary>
    public string? Status { get; set; }

    public List<string> Commands { get; } = [];

    public List<string> Notes { get; } = [];

    public Task<ITargetStore> OpenAsync() => ImapStore.OpenAsync(
        new ImapEndpoint("mail.example.org", 143, TlsMode.None, "alice"),
        new StoreContext(TimeProvider.System, Notes.Add),
        DialAsync,
        TestContext.Current.CancellationToken);

    private ValueTask<Stream> DialAsync(CancellationToken cancellationToken)
    {
        var (server, client) = ScriptedServer.InMemory();
        _ = ServeAsync(server, cancellationToken);
        return ValueTask.FromResult(client);
    }

    private async Task ServeAsync(ScriptedServer server, CancellationToken cancellationToken)
    {
        await using var _ = server;
        try
        {
            await server.SendAsync($"* PREAUTH [CAPABILITY {Capabilities}] ready\r\n", cancellationToken);
            while (await server.ReadLineAsync(cancellationToken) is { } line)
            {
                var blank = line.IndexOf(' ', StringComparison.Ordinal);
                var (untagged, result) = Answer(line[(blank + 1)..]);
                await server.SendAsync(string.Concat(untagged.Select(l => $"* {l}\r\n")) + $"{line[..blank]} {result}\r\n", cancellationToken);
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // The client has hung up.
        }
    }

    private (IEnumerable<string> Untagged, string Result) Answer(string line)
    {
        Commands.Add(line);
        var words = Words().Matches(line).Select(m => m.Value.Trim('"').Replace("\\\\", "\\", StringComparison.Ordinal)).ToList();
        return words[0] switch
        {
            "CAPABILITY" => ([$"CAPABILITY {Capabilities}"], "OK done"),
            "NAMESPACE" => ([$"NAMESPACE {Namespaces}"], "OK done"),
            "LIST" when words[2].Length == 0 => ([$"LIST (\\Noselect) \"{Delimiter}\" \"\""], "OK done"),
            "LIST" => (Folders.Select(f => $"LIST ({f.Value}) \"{Delimiter}\" \"{f.Key}\""), "OK done"),
            "STATUS" when Status is not null => ([$"STATUS \"{words[1]}\" ({Status})"], "OK done"),
            "CREATE" => ([], Create(words[1])),
            "GETACL" => (["ACL " + string.Join(' ', [$"\"{words[1]}\"", .. Acl.Where(a => a.Folder == words[1]).Select(a => $"{a.Identifier} {a.Rights}")])], "OK done"),
            "SETACL" => ([], SetAcl(words)),
            "LOGOUT" => (["BYE bye"], "OK done"),
            _ => ([], "OK done"),
        };
    }

    private string Create(string name)
    {
        if (Folders.TryGetValue(name, out var attributes) && !attributes.Contains("Noselect", StringComparison.Ordinal))
            return "NO [ALREADYEXISTS] it is there";
        if (Refuses(name) is { } why)
            return why;
        Folders[name] = "";
        return "OK done";
    }

    private string SetAcl(List<string> words)
    {
        if (words[2] == "nobody")
            return "NO there is no such user";
        Acl.Add((words[1], words[2], words[3]));
        return "OK done";
    }

    [GeneratedRegex("\"(?:[^\"\\\\]|\\\\.)*\"|[^ ]+")]
    private static partial Regex Words();
}
