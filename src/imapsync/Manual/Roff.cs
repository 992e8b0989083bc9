using System.Globalization;
using System.Text;

namespace Imapsync.CommandLine.Manual;

/// <summary>Writes a page in the man(7) language, for both groff and mandoc.</summary>
internal static class Roff
{
    public static string Write(ManualPage page)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $".\\\" Made from the program's own tables; to print it anew: imapsync man {Last(page)}\n");
        // The page has no date, so that the output depends only on the version of the program.
        text.Append(CultureInfo.InvariantCulture, $".TH {Escape(page.Name.ToUpperInvariant())} {page.Section} \"\" \"imapsync {Escape(ProgramVersion.Text)}\" \"imapsync\"\n.nh\n.ad l\n");
        text.Append(CultureInfo.InvariantCulture, $".SH NAME\n{Escape(page.Name)} \\- {Escape(page.Purpose)}\n");
        foreach (var section in page.Sections)
        {
            text.Append(CultureInfo.InvariantCulture, $".SH \"{Escape(section.Title)}\"\n");
            foreach (var block in section.Blocks)
                Write(text, block);
        }

        return text.ToString();
    }

    private static void Write(StringBuilder text, ManualBlock block)
    {
        switch (block)
        {
            case Paragraph paragraph:
                text.Append(CultureInfo.InvariantCulture, $".PP\n{Line(paragraph.Text)}\n");
                break;
            case SubHeading heading:
                text.Append(CultureInfo.InvariantCulture, $".SS \"{Escape(heading.Text)}\"\n");
                break;
            case Definition definition:
                text.Append(CultureInfo.InvariantCulture, $".TP\n.B \"{Escape(definition.Term)}\"\n{Line(definition.Meaning)}\n");
                break;
            case Verbatim verbatim:
                text.Append(".PP\n.nf\n.RS 4\n");
                foreach (var line in verbatim.Text.Split('\n'))
                    text.Append(Line(line)).Append('\n');
                text.Append(".RE\n.fi\n");
                break;
        }
    }

    /// <summary>Returns the argument with which <c>imapsync man</c> prints this page; empty for the main page.</summary>
    private static string Last(ManualPage page) => page.Name.StartsWith("imapsync-", StringComparison.Ordinal) ? page.Name["imapsync-".Length..] : "";

    /// <summary>Protects a dot or an apostrophe at the beginning of a line, which would be read as a request.</summary>
    private static string Line(string text) => text.Length > 0 && text[0] is '.' or '\'' ? @"\&" + Escape(text) : Escape(text);

    /// <summary>
    /// Escapes text so that groff prints it exactly. Without this, groff replaces some characters by typographic ones. Non-ASCII characters
    /// are written as groff's names for them.
    /// </summary>
    private static string Escape(string text)
    {
        var escaped = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            _ = rune.Value switch
            {
                '\\' => escaped.Append(@"\(rs"),
                '-' => escaped.Append(@"\-"),
                '~' => escaped.Append(@"\(ti"),
                '^' => escaped.Append(@"\(ha"),
                '`' => escaped.Append(@"\(ga"),
                '\'' => escaped.Append(@"\(aq"),
                '"' => escaped.Append(@"\(dq"),
                // Allows a line break in a long list of words.
                '|' => escaped.Append(@"|\:"),
                < 0x80 => escaped.Append(rune.ToString()),
                _ => escaped.Append(CultureInfo.InvariantCulture, $"\\[u{rune.Value:X4}]"),
            };
        }

        return escaped.ToString();
    }
}
