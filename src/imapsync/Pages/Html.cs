using System.Globalization;
using System.Net;
using System.Text;
using Imapsync.CommandLine.Output;

namespace Imapsync.CommandLine.Pages;

/// <summary>
/// HTML that others' text can't get out of. Everything is encoded but what <see cref="Raw"/> is given, which holds no such text.
/// </summary>
internal sealed class Html
{
    private readonly StringBuilder text = new();

    public Html Raw(string markup)
    {
        text.Append(markup);
        return this;
    }

    /// <summary>Our own words and numbers.</summary>
    public Html Text(string words)
    {
        text.Append(Encode(words));
        return this;
    }

    /// <summary>Text of strangers: controls made visible, no longer than is read, and its direction kept from what surrounds it.</summary>
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

    /// <summary>A coordinate.</summary>
    public static string Number(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);
}
