using System.Globalization;
using Imapsync.CommandLine.Output;
using Imapsync.Engine.History;

namespace Imapsync.CommandLine.Pages;

/// <summary>Lists the problems of a run: which messages are affected, and the reason in the words of the server or program.</summary>
internal static class ProblemList
{
    /// <param name="isOver">Whether later runs were successful.</param>
    public static void Write(Html page, HistoryEntry entry, bool isOver, TimeZoneInfo zone)
    {
        var when = TimeZoneInfo.ConvertTime(entry.Began, zone).ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);
        page.Raw("<h3>").Text($"What failed, {when}{(isOver ? "; the last run was good" : "")}").Raw("</h3><ul class=\"problems\">\n");
        foreach (var problem in entry.Problems)
        {
            page.Raw("<li>");
            if (problem.Envelope is { } envelope)
            {
                page.Raw("<strong class=\"subject\">").Foreign(envelope.Subject ?? "(no subject)").Raw("</strong><span class=\"dim\">");
                if (envelope.From is { } from)
                    page.Text("from ").Foreign(from);
                if (envelope.Date is { } date)
                    page.Text($" · {date.ToString("yyyy-MM-dd HH:mm zzz", CultureInfo.InvariantCulture)}");
                page.Raw("</span>");
            }

            page.Raw("<span class=\"place\">");
            if (problem.Folder is { } folder)
                page.Foreign(folder.ToString());
            if (problem.Uid is { } uid)
                page.Text($", UID {uid}");
            page.Raw("</span><q>").Foreign(problem.Text).Raw("</q>").Element("code", problem.Reason).Raw("</li>\n");
        }

        page.Raw("</ul>");
        if (entry.ProblemCount > entry.Problems.Length)
            page.Element("p", $"and {Quantities.Count(entry.ProblemCount - entry.Problems.Length)} more", "dim");
    }
}
