using System.Globalization;
using Imapsync.CommandLine.Output;
using Imapsync.Engine.Reading;

namespace Imapsync.CommandLine.Pages;

/// <summary>Tables of a target's contents by folder, year and sender.</summary>
internal static class CensusTables
{
    public static void Write(Html page, MailCensus census, int maxFolders, int maxSenders)
    {
        if (census.Messages == 0)
            return;
        page.Raw("<h3>What lies in the target</h3><div class=\"charts\">");
        if (census.Years.Length > 1)
            Charts.Bars(page, "Messages by year", [.. AllYears(census)], v => Quantities.Count((long)v));
        page.Raw("</div><div class=\"pair\">");
        Begin(page, "Biggest folders");
        var most = census.Folders.Max(f => f.Bytes);
        foreach (var folder in census.Folders.Take(maxFolders))
            Row(page, folder.Folder.ToString(), folder.Messages, folder.Bytes, folder.Bytes, most);
        page.Raw("</tbody></table></div>");
        if (!census.Senders.IsEmpty)
        {
            Begin(page, "Most frequent senders");
            foreach (var sender in census.Senders.Take(maxSenders))
                Row(page, sender.Name is { } name ? $"{name} <{sender.Address}>" : sender.Address, sender.Messages, sender.Bytes, sender.Messages, census.Senders[0].Messages);
            page.Raw("</tbody></table></div>");
        }

        page.Raw("</div>\n");
        if (census.HeadersRead < census.Messages)
            page.Element("p", $"Senders are those of {Quantities.Count(census.HeadersRead)} messages, spread over all.", "dim");
    }

    public static void WriteShare(Html page, double value, double most) => page
        .Raw($"<td class=\"share\"><svg viewBox=\"0 0 100 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\"><rect class=\"bar\" width=\"{Html.Number(value <= 0 ? 0 : Math.Max(1, value / Math.Max(1, most) * 100))}\" height=\"10\"/></svg></td>");

    /// <summary>
    /// Returns every year, including those without mail, so that the time axis is linear. Years long before the last one are left out.
    /// </summary>
    private static IEnumerable<(string Word, double Value)> AllYears(MailCensus census)
    {
        const int mostYears = 80;
        var years = census.Years.ToDictionary(y => y.Year, y => y.Messages);
        var last = census.Years[^1].Year;
        var first = Math.Max(census.Years[0].Year, last - mostYears);
        for (var year = first; year <= last; year++)
            yield return (year.ToString(CultureInfo.InvariantCulture), years.GetValueOrDefault(year));
    }

    private static void Begin(Html page, string title) => page.Raw("<div class=\"scroll\"><table><thead><tr>").Element("th", title)
        .Raw("<th class=\"n\">Messages</th><th class=\"n\">Octets</th><th class=\"share\"></th></tr></thead><tbody>\n");

    private static void Row(Html page, string name, long messages, long bytes, double value, double most)
    {
        page.Raw("<tr><td class=\"name\">").Foreign(name).Raw("</td>").Element("td", Quantities.Count(messages), "n").Element("td", Quantities.Octets(bytes), "n");
        WriteShare(page, value, most);
        page.Raw("</tr>\n");
    }
}
