using System.Text;
using Imapsync.Imap.Wire;

namespace Imapsync.Imap.Connection;

/// <summary>
/// Writes a readable record of the conversation, one line per command or reply. Its callers leave out literals, bodies and credentials.
/// Continuation texts, which carry SASL challenges, are never shown.
/// </summary>
internal sealed class ImapTrace(Action<string>? line, ConnectionLog? log)
{
    private const int MaxLine = 500;

    private volatile string[] hidden = [];

    /// <summary>Returns null if there is neither a trace nor a log to write to.</summary>
    public static ImapTrace? For(Action<string>? line, ConnectionLog? log) => line is null && log is null ? null : new ImapTrace(line, log);

    /// <summary>Masks the secret in the trace from now on, in case the server repeats it as plain text or in base64.</summary>
    public void Hide(string user, string secret)
    {
        if (secret.Length == 0)
            return;
        var octets = Encoding.UTF8.GetBytes(secret);
        string[] forms = [secret, secret.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal), Encoding.Latin1.GetString(octets)];
        hidden = [.. forms.Append(Convert.ToBase64String(octets)).Append(Convert.ToBase64String(Encoding.UTF8.GetBytes($"\0{user}\0{secret}")))
            .Distinct().OrderByDescending(f => f.Length)];
    }

    /// <summary>Writes one line of a POP3 conversation, truncated if it is very long. Secrets that the server repeats are masked.</summary>
    public void Line(string text) => Write(Shorten(Redact(text)));

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
        Write("< " + Shorten(Redact(Encoding.Latin1.GetString(shown)), isContinued: end >= 0));
    }

    /// <summary>Truncates a line. Mask its secrets before, because a truncated secret would not be recognised.</summary>
    private static string Shorten(string text, bool isContinued = false) =>
        isContinued || text.Length > MaxLine ? text[..Math.Min(text.Length, MaxLine)] + " …" : text;

    /// <summary>Writes only the kind of a line received during log-in, because servers have been seen to repeat passwords in refusals.</summary>
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

    /// <summary>Logs a command's outcome and duration.</summary>
    /// <param name="command">The command's name without its arguments, which may be secret.</param>
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
