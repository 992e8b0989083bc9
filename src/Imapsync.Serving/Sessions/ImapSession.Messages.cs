using System.Globalization;
using System.Text;
using Imapsync.Serving.Fetching;
using Imapsync.Serving.Mailboxes;
using Imapsync.Serving.Searching;
using Imapsync.Serving.Wire;

namespace Imapsync.Serving.Sessions;

internal sealed partial class ImapSession
{
    private async ValueTask FetchAsync(string tag, CommandText text, SelectedFolder folder, bool byUid, CancellationToken cancellationToken)
    {
        text.Skip(' ');
        var set = text.Set();
        text.Skip(' ');
        var request = FetchRequest.Parse(text, byUid, Limits);
        if (!byUid && set.Resolve((uint)folder.Snapshot.Count).Any(r => r.Last > folder.Snapshot.Count))
            throw new CommandException("there are not that many messages");
        var missing = await new FetchAnswer(request, folder, output, Limits).WriteAsync([.. folder.Snapshot.Indexes(set, byUid)], cancellationToken);
        if (missing > 0)
            throw new RefusalException(string.Create(CultureInfo.InvariantCulture, $"messages that are gone or can't be read: {missing}; select the folder again to see what is there"), "EXPUNGEISSUED");
        output.Line($"{tag} OK done");
    }

    private async ValueTask SearchAsync(string tag, CommandText text, SelectedFolder folder, bool byUid, CancellationToken cancellationToken)
    {
        text.Skip(' ');
        var request = SearchRequest.Parse(text, Limits);
        var search = new MessageSearch(folder, Limits);
        var found = (await search.RunAsync(request.Key, cancellationToken))
            .ConvertAll(i => byUid ? folder.Snapshot.UidAt(i) : (uint)i + 1);
        if (request.Return == SearchReturn.None)
        {
            output.Text("* SEARCH");
            foreach (var number in found)
            {
                output.Text(" ").Number(number);
                await output.FlushIfFullAsync(cancellationToken);
            }

            output.Line("");
        }
        else
        {
            WriteExtended(tag, request.Return, found, byUid);
        }

        // An untagged NO is a warning (RFC 9051 §7.1.2): the messages found do match, but others may match as well.
        if (search.Unknown > 0)
            output.Line(string.Create(CultureInfo.InvariantCulture, $"* NO not known whether they match (gone, unreadable or too much text), messages: {search.Unknown}"));
        output.Line($"{tag} OK done");
    }

    private void WriteExtended(string tag, SearchReturn wanted, List<uint> found, bool byUid)
    {
        output.Text($"* ESEARCH (TAG \"{tag}\"){(byUid ? " UID" : "")}");
        if (wanted.HasFlag(SearchReturn.Min) && found.Count > 0)
            output.Text(" MIN ").Number(found[0]);
        if (wanted.HasFlag(SearchReturn.Max) && found.Count > 0)
            output.Text(" MAX ").Number(found[^1]);
        if (wanted.HasFlag(SearchReturn.Count))
            output.Text(" COUNT ").Number(found.Count);
        if (wanted.HasFlag(SearchReturn.All) && found.Count > 0)
            output.Text(" ALL ").Text(Ranges(found));
        output.Line("");
    }

    private static string Ranges(List<uint> numbers)
    {
        var text = new StringBuilder();
        for (int first = 0, last; first < numbers.Count; first = last + 1)
        {
            last = first;
            while (last + 1 < numbers.Count && numbers[last + 1] == numbers[last] + 1)
                last++;
            text.Append(text.Length > 0 ? "," : "").Append(numbers[first]);
            if (last > first)
                text.Append(':').Append(numbers[last]);
        }

        return text.ToString();
    }
}
