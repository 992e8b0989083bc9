using System.Globalization;
using System.Net;
using System.Text;
using Imapsync.CommandLine.Output;

namespace Imapsync.CommandLine.Pages;

/// <summary>
/// Builds HTML into which untrusted text can't inject markup. Everything is encoded except the arguments of <see cref="Raw"/>, which must not
/// contain untrusted text.
/// </summary>
internal sealed class Html
{
    private readonly StringBuilder text = new();

    public Html Raw(string markup)
    {
        text.Append(markup);
        return this;
    }

    /// <summary>Appends trusted text and numbers, encoded.</summary>
    public Html Text(string words)
    {
        text.Append(Encode(words));
        return this;
    }

    /// <summary>
    /// Appends untrusted text: control characters are made visible, long text is truncated, and its writing direction does not affect the
    /// surroundings.
    /// </summary>
    public Html Foreign(string words, string element = "bdi")
    {
        const int most = 300;
        var safe = TerminalText.Escape(words.Length > most ? words[..(char.IsHighSurrogate(words[most - 1]) ? most - 1 : most)] + "…" : words);
        text.Append('<').Append(element).Append(" dir=\"auto\">").Append(Encode(safe)).Append("</").Append(element).Append('>');
        return this;
    }

    public Html Element(string name, string words, string? style = null)
    {
        text.Append('<').Append(name);
        if (style is not null)
            text.Append(" class=\"").Append(style).Append('"');
        text.Append('>').Append(Encode(words)).Append("</").Append(name).Append('>');
        return this;
    }

    public override string ToString() => text.ToString();

    public static string Encode(string words) => WebUtility.HtmlEncode(words);

    /// <summary>Formats a coordinate for SVG.</summary>
    public static string Number(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);
}
