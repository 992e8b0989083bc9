using System.Text;

namespace Imapsync.Tests.Support;

/// <summary>A record of the traffic of one connection.</summary>
public sealed class ProxiedConnection(int number)
{
    private readonly Lock gate = new();
    private readonly List<string> commands = [];
    private readonly StringBuilder line = new();
    private bool serverSpokeLast = true;

    public int Number { get; } = number;

    public long FromServer { get; private set; }

    public long FromClient { get; private set; }

    /// <summary>How often the client sent something after the server had. The client waited for at most this many round trips.</summary>
    public int Turns { get; private set; }

    public bool WasCut { get; internal set; }

    public bool WasCorrupted { get; internal set; }

    internal long Passed(bool fromServer) => fromServer ? FromServer : FromClient;

    /// <summary>The folder named by the last SELECT or EXAMINE.</summary>
    public string? SelectedFolder => Commands.LastOrDefault(c => c.Contains(" EXAMINE ", StringComparison.Ordinal) || c.Contains(" SELECT ", StringComparison.Ordinal))
        ?.Split(' ', 3)[2].Split(" (")[0].Trim('"');

    /// <summary>The client's lines without CRLF. In clear text, these are its commands.</summary>
    public IReadOnlyList<string> Commands
    {
        get
        {
            lock (gate)
                return [.. commands];
        }
    }

    /// <summary>Finds the tagged OK of an APPEND in the server's octets. Returns where it begins and where its line ends.</summary>
    internal (int Start, int End)? FindAppendReply(ReadOnlySpan<byte> octets)
    {
        for (var start = 0; start < octets.Length;)
        {
            var length = octets[start..].IndexOf((byte)'\n') + 1;
            var reply = length == 0 ? octets[start..] : octets.Slice(start, length);
            var blank = reply.IndexOf(" OK "u8);
            if (blank > 0 && IsAppend(Encoding.Latin1.GetString(reply[..blank])))
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
