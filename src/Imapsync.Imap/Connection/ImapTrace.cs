using System.Text;
using Imapsync.Imap.Wire;

namespace Imapsync.Imap.Connection;

/// <summary>
/// The conversation for people, a line each. It is never shown a literal, a body or a credential: those are left out where
/// they are written, and continuation texts (which carry SASL challenges) are never shown at all.
/// </summary>
internal sealed class ImapTrace(Action<string> write)
{
    private const int MaxLine = 500;

    public void Sent(string line) => write("> " + line);

    public void Received(ReadOnlySpan<byte> frame)
    {
        if (frame.Length > 0 && frame[0] == '+')
        {
            write("< +");
            return;
        }

        var line = LiteralMarker.TrimLineEnd(frame);
        var end = line.IndexOf((byte)'\n');
        var isWhole = end < 0 && line.Length <= MaxLine;
        if (end >= 0)
            line = LiteralMarker.TrimLineEnd(line[..(end + 1)]);
        line = line[..Math.Min(line.Length, MaxLine)];
        write("< " + Encoding.Latin1.GetString(line) + (isWhole ? "" : " …"));
    }

    /// <summary>While a log-in is under way, only what kind of line it is: servers have repeated passwords in their refusals.</summary>
    public void ReceivedAtLogIn(ReadOnlySpan<byte> frame)
    {
        var response = ImapResponse.Parse(frame, -1, ImapLimits.Default);
        write(response.Status is { } status ? $"< {Encoding.Latin1.GetString(response.Tag)} {status.Kind} (hidden)" : $"< ({frame.Length} octets)");
    }

    public void Note(string text) => write("! " + text);
}
