using System.Text;
using Imapsync.Imap.Wire;

namespace Imapsync.Imap.Connection;

/// <summary>
/// The conversation for people, a line each. It is never shown a literal, a body or a credential: those are left out where
/// they are written, and continuation texts (which carry SASL challenges) are never shown at all.
/// </summary>
internal sealed class ImapTrace(Action<string>? line, ConnectionLog? log)
{
    private const int MaxLine = 500;

    private volatile string[] hidden = [];

    /// <summary>Null where nobody wants to know.</summary>
    public static ImapTrace? For(Action<string>? line, ConnectionLog? log) => line is null && log is null ? null : new ImapTrace(line, log);

    /// <summary>From here on a server that repeats the secret, as it is or in base64, does not bring it into the trace.</summary>
    public void Hide(string user, string secret)
    {
        if (secret.Length == 0)
            return;
        var octets = Encoding.UTF8.GetBytes(secret);
        string[] forms = [secret, secret.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal), Encoding.Latin1.GetString(octets)];
        hidden = [.. forms.Append(Convert.ToBase64String(octets)).Append(Convert.ToBase64String(Encoding.UTF8.GetBytes($"\0{user}\0{secret}")))
            .Distinct().OrderByDescending(f => f.Length)];
    }

    /// <summary>One line of a conversation that is no IMAP, as it is but for secrets that it repeats.</summary>
    public void Line(string text) => Write(text.Length > MaxLine ? text[..MaxLine] + " …" : text);

    public void Sent(string command) => Write("> " + command);

    public void Received(ReadOnlySpan<byte> frame)
    {
        if (frame.Length > 0 && frame[0] == '+')
        {
            Write("< +");
            return;
        }

        var shown = LiteralMarker.TrimLineEnd(frame);
        var end = shown.IndexOf((byte)'\n');
        if (end >= 0)
            shown = LiteralMarker.TrimLineEnd(shown[..(end + 1)]);
        // A secret that is cut in two would not be found any more.
        var text = Redact(Encoding.Latin1.GetString(shown));
        Write("< " + (end < 0 && text.Length <= MaxLine ? text : text[..Math.Min(text.Length, MaxLine)] + " …"));
    }

    /// <summary>While a log-in is under way, only what kind of line it is: servers have repeated passwords in their refusals.</summary>
    public void ReceivedAtLogIn(ReadOnlySpan<byte> frame)
    {
        var response = ImapResponse.Parse(frame, -1, ImapLimits.Default);
        Write(response.Status is { } status ? $"< {Encoding.Latin1.GetString(response.Tag)} {status.Kind} (hidden)" : $"< ({frame.Length} octets)");
    }

    public void Note(string text)
    {
        text = Redact(text);
        line?.Invoke("! " + text);
        log?.Note(text);
    }

    /// <summary>A command's end; its name holds no argument that is secret.</summary>
    public void Answered(string tag, string command, StatusKind outcome, TimeSpan took) =>
        log?.Answered(tag, command, outcome.ToString().ToUpperInvariant(), took);

    private void Write(string text)
    {
        if (line is null && log?.WantsLines != true)
            return;
        text = Redact(text);
        line?.Invoke(text);
        if (log?.WantsLines == true)
            log.Line(text);
    }

    private string Redact(string text)
    {
        foreach (var form in hidden)
            text = text.Replace(form, "(secret)", StringComparison.Ordinal);
        return text;
    }
}
