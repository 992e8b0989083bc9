namespace Imapsync.Tests.Support;

/// <summary>How a bad line misbehaves. Octets are counted for each connection by itself, from its first.</summary>
public sealed record FaultRules
{
    /// <summary>The connection ends once exactly so many octets have come from the server.</summary>
    public long? CutAfterFromServer { get; init; }

    /// <summary>The connection ends once exactly so many octets have come from the client.</summary>
    public long? CutAfterFromClient { get; init; }

    /// <summary>End with FIN, in good order, in place of RST.</summary>
    public bool CutWithFin { get; init; }

    /// <summary>Only so many connections are cut; then the line is good.</summary>
    public int MostCuts { get; init; } = int.MaxValue;

    /// <summary>After so many octets from the server nothing more passes, and the connection stays open.</summary>
    public long? StallAfterFromServer { get; init; }

    /// <summary>
    /// Asked before the tagged OK of each APPEND is passed on, once each: true ends the connection in its place, so that the
    /// server has stored what the client will not hear of. Clear text only.
    /// </summary>
    public Func<bool>? CutBeforeAppendReply { get; init; }

    /// <summary>
    /// Asked for each line of the client: an answer such as <c>NO [SERVERBUG] Internal error</c> is given in the server's place,
    /// which never sees the command; null passes it on. Clear text only, and for commands without literals.
    /// </summary>
    public Func<ProxiedConnection, string, string?>? AnswerInstead { get; init; }

    /// <summary>How long each octet takes, in either direction; throughput is not limited.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>Most octets that are passed on in one piece.</summary>
    public int PieceBytes { get; init; } = 64 * 1024;
}

/// <summary>What passed through one connection.</summary>
public sealed class ProxiedConnection(int number)
{
    private readonly Lock gate = new();
    private readonly List<string> commands = [];
    private readonly System.Text.StringBuilder line = new();
    private bool serverSpokeLast = true;

    public int Number { get; } = number;

    public long FromServer { get; private set; }

    public long FromClient { get; private set; }

    /// <summary>How often the client spoke after the server had: no less than the round trips it waited for.</summary>
    public int Turns { get; private set; }

    public bool WasCut { get; internal set; }

    /// <summary>The folder that the last SELECT or EXAMINE named.</summary>
    public string? SelectedFolder => Commands.LastOrDefault(c => c.Contains(" EXAMINE ", StringComparison.Ordinal) || c.Contains(" SELECT ", StringComparison.Ordinal))
        ?.Split(' ', 3)[2].Split(" (")[0].Trim('"');

    /// <summary>The client's lines without CRLF; commands, as long as the line is in clear text.</summary>
    public IReadOnlyList<string> Commands
    {
        get
        {
            lock (gate)
                return [.. commands];
        }
    }

    /// <summary>Where in octets of the server the tagged OK of an APPEND begins, and where its line ends.</summary>
    internal (int Start, int End)? FindAppendReply(ReadOnlySpan<byte> octets)
    {
        for (var start = 0; start < octets.Length;)
        {
            var length = octets[start..].IndexOf((byte)'\n') + 1;
            var reply = length == 0 ? octets[start..] : octets.Slice(start, length);
            var blank = reply.IndexOf(" OK "u8);
            if (blank > 0 && IsAppend(System.Text.Encoding.Latin1.GetString(reply[..blank])))
                return (start, start + reply.Length);
            start += reply.Length;
        }

        return null;
    }

    private bool IsAppend(string tag)
    {
        lock (gate)
            return commands.Exists(c => c.StartsWith(tag + " APPEND ", StringComparison.Ordinal));
    }

    internal void Count(bool fromServer, ReadOnlySpan<byte> octets)
    {
        lock (gate)
        {
            if (fromServer)
            {
                FromServer += octets.Length;
                serverSpokeLast = true;
                return;
            }

            FromClient += octets.Length;
            Turns += serverSpokeLast ? 1 : 0;
            serverSpokeLast = false;
            foreach (var octet in octets)
            {
                if (octet == '\n')
                {
                    commands.Add(line.ToString().TrimEnd('\r'));
                    line.Clear();
                }
                else if (line.Length < 2000)
                {
                    line.Append((char)octet);
                }
            }
        }
    }
}
