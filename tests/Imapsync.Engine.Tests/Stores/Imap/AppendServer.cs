using System.Globalization;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Stores.Imap;

/// <param name="Flags">The flags as sent with APPEND.</param>
internal sealed record AppendedMessage(uint Uid, string Flags, string Body)
{
    public string Flags { get; set; } = Flags;
}

/// <summary>A test's answer to an APPEND.</summary>
/// <param name="Reply">The reply after the tag; if empty, the connection is closed without a reply.</param>
internal readonly record struct AppendAnswer(string Reply, bool Stores = false);

/// <summary>A server with a single folder INBOX that stores and returns mail; a test decides how it answers.</summary>
internal sealed class AppendServer
{
    public string Capabilities { get; set; } = "IMAP4rev1 UIDPLUS LITERAL+";

    public string Greeting { get; set; } = "ready";

    public string PermanentFlags { get; set; } = "\\Answered \\Flagged \\Deleted \\Seen \\Draft \\*";

    /// <summary>Returns the answer to a complete APPEND, given its flags and body; null for the default answer.</summary>
    public Func<string, string, AppendAnswer?> OnAppend { get; set; } = (_, _) => null;

    /// <summary>
    /// Gets the size of a synchronising literal. Returns a reply that refuses the literal, or null to accept it with <c>+</c>.
    /// </summary>
    public Func<int, string?> BeforeContinuation { get; set; } = _ => null;

    /// <summary>
    /// Gets any other command. Returns untagged lines and the tagged reply without the tag, or null for the default answer.
    /// </summary>
    public Func<string, string?> OnCommand { get; set; } = _ => null;

    /// <summary>Maps the flags sent with APPEND to the flags that the server stores.</summary>
    public Func<string, string> KeepFlags { get; set; } = flags => flags;

    public List<AppendedMessage> Messages { get; } = [];

    public List<string> Commands { get; } = [];

    public int Connections { get; private set; }

    /// <summary>Completes when the client has closed the connection that it opened last.</summary>
    public Task HungUp { get; private set; } = Task.CompletedTask;

    public ValueTask<Stream> DialAsync(CancellationToken cancellationToken)
    {
        var (server, client) = ScriptedServer.InMemory();
        Connections++;
        HungUp = ((PipedStream)client).WhenDisposed;
        _ = ServeAsync(server, cancellationToken);
        return ValueTask.FromResult(client);
    }

    private async Task ServeAsync(ScriptedServer server, CancellationToken cancellationToken)
    {
        await using var _ = server;
        try
        {
            await server.SendAsync($"* OK [CAPABILITY {Capabilities}] {Greeting}\r\n", cancellationToken);
            while (await server.ReadLineAsync(cancellationToken) is { } line)
            {
                var tag = line[..line.IndexOf(' ', StringComparison.Ordinal)];
                var command = line[(tag.Length + 1)..];
                lock (Commands)
                    Commands.Add(command);
                var reply = command.StartsWith("APPEND ", StringComparison.Ordinal)
                    ? await AppendAsync(server, command, cancellationToken)
                    : OnCommand(command) ?? Answer(command);
                if (reply.Length == 0)
                    return;
                var lines = reply.Split('\n');
                // Inside a literal, tests write VT for CRLF, so that LF separates only the lines of the reply.
                var text = string.Concat(lines.SkipLast(1).Select(l => $"* {l}\r\n")) + $"{tag} {lines[^1]}\r\n";
                await server.SendAsync(text.Replace("\v", "\r\n", StringComparison.Ordinal), cancellationToken);
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // The client has hung up.
        }
    }

    private async Task<string> AppendAsync(ScriptedServer server, string line, CancellationToken cancellationToken)
    {
        var window = new List<(string Flags, string Body)>();
        for (; line.EndsWith('}'); line = await server.ReadLineAsync(cancellationToken) ?? "")
        {
            var open = line.LastIndexOf('{');
            var length = int.Parse(line.AsSpan(open + 1).TrimEnd("+}"), CultureInfo.InvariantCulture);
            if (!line.EndsWith("+}", StringComparison.Ordinal))
            {
                if (BeforeContinuation(length) is { } refusal)
                    return refusal;
                await server.SendAsync("+ go\r\n", cancellationToken);
            }

            var flags = line.IndexOf('(', StringComparison.Ordinal);
            window.Add((flags < 0 ? "" : line[(flags + 1)..line.IndexOf(')', StringComparison.Ordinal)], await server.ReadOctetsAsync(length, cancellationToken)));
        }

        var uids = new List<uint>();
        foreach (var (flags, body) in window)
        {
            if (OnAppend(flags, body) is { } answer)
            {
                if (answer.Stores)
                    Store(flags, body);
                return answer.Reply;
            }
        }

        uids.AddRange(window.Select(m => Store(m.Flags, m.Body)));
        return Capabilities.Contains("UIDPLUS", StringComparison.Ordinal) ? $"OK [APPENDUID 7 {uids[0]}:{uids[^1]}] done" : "OK done";
    }

    private uint Store(string flags, string body)
    {
        Messages.Add(new AppendedMessage((uint)Messages.Count + 1, KeepFlags(flags), body));
        return (uint)Messages.Count;
    }

    private string Answer(string command)
    {
        var words = command.Split(' ');
        switch (words[0])
        {
            case "CAPABILITY":
                return $"CAPABILITY {Capabilities}\nOK";
            case "STATUS":
                return $"STATUS INBOX (MESSAGES {Messages.Count} UIDNEXT {Messages.Count + 1} UIDVALIDITY 7 UNSEEN 0)\nOK";
            case "LIST":
                return "LIST () \"/\" INBOX\nOK";
            case "SELECT" or "EXAMINE":
                return $"{Messages.Count} EXISTS\nOK [UIDVALIDITY 7] x\nOK [UIDNEXT {Messages.Count + 1}] x\nOK [PERMANENTFLAGS ({PermanentFlags})] x\nOK [READ-WRITE] done";
            case "NOOP":
                return $"{Messages.Count} EXISTS\nOK";
            case "LOGOUT":
                return "BYE bye\nOK";
            case "UID" when words[1] == "FETCH":
                var set = command["UID FETCH ".Length..command.IndexOf(" (", StringComparison.Ordinal)];
                return string.Concat(Messages.Where(m => IsIn(set, m.Uid)).Select(m => command.Contains("BODY.PEEK[", StringComparison.Ordinal)
                    ? $"{m.Uid} FETCH (UID {m.Uid} BODY[{(command.Contains("HEADER", StringComparison.Ordinal) ? "HEADER" : "")}] {{{m.Body.Length}}}\v{m.Body.Replace("\r\n", "\v", StringComparison.Ordinal)})\n"
                    : $"{m.Uid} FETCH (UID {m.Uid} FLAGS ({m.Flags}) INTERNALDATE \"01-Feb-2025 10:00:00 +0000\" RFC822.SIZE {m.Body.Length})\n")) + "OK";
            case "UID" when words[1] == "STORE":
                var flags = command[(command.IndexOf('(', StringComparison.Ordinal) + 1)..^1].Split(' ');
                foreach (var m in Messages.Where(m => IsIn(words[2], m.Uid)))
                {
                    var kept = m.Flags.Split(' ', StringSplitOptions.RemoveEmptyEntries).Except(flags);
                    m.Flags = string.Join(' ', words[3].StartsWith('+') ? kept.Concat(flags) : kept);
                }

                return "OK";
            default:
                return "OK done";
        }
    }

    private bool IsIn(string set, uint uid) => set.Split(',').Any(range =>
    {
        var ends = range.Split(':').Select(e => e == "*" ? (uint)Math.Max(1, Messages.Count) : uint.Parse(e, CultureInfo.InvariantCulture)).ToArray();
        return uid >= ends.Min() && uid <= ends.Max();
    });
}
