using System.Globalization;
using Imapsync.Engine.Mail;
using Imapsync.Imap;
using MimeKit;
using MimeKit.Utils;

namespace Imapsync.Engine.Copying;

/// <summary>A message as its owner knows it: about what, by whom, when. For people alone; nothing is decided by it.</summary>
internal static class MessageDescription
{
    /// <summary>Each costs a header to read, and nobody reads more of them.</summary>
    private const int MostAtOnce = 50;
    private const int MostLetters = 80;

    /// <summary>Describes the first of some messages of an open folder. What can't be read has no description.</summary>
    public static async Task<IReadOnlyDictionary<Uid, string>> ReadAsync(IMailFolder folder, IEnumerable<Uid> uids, CancellationToken cancellationToken)
    {
        var described = new Dictionary<Uid, string>();
        var first = new UidSet(uids.Take(MostAtOnce));
        if (first.IsEmpty)
            return described;
        try
        {
            await foreach (var header in folder.ReadHeadersAsync(first, cancellationToken))
                described[header.Uid] = Of(header.Octets);
        }
        catch (MailException)
        {
            // Whoever can't read them says so elsewhere.
        }

        return described;
    }

    /// <returns><c>"Subject" from Name, 2026-11-28</c>, as much of it as the header tells; empty for nothing.</returns>
    public static string Of(ReadOnlyMemory<byte> header)
    {
        HeaderList fields;
        try
        {
            using var octets = new MemoryStream(header.ToArray());
            fields = HeaderList.Load(octets);
        }
        catch (FormatException)
        {
            return "";
        }

        var subject = fields[HeaderId.Subject] is { Length: > 0 } text ? $"\"{Short(text)}\"" : null;
        var from = InternetAddressList.TryParse(fields[HeaderId.From] ?? "", out var authors) && authors.Count > 0
            ? $"from {Short(authors[0].Name is { Length: > 0 } name ? name : (authors[0] as MailboxAddress)?.Address ?? "")}"
            : null;
        var date = DateUtils.TryParse(fields[HeaderId.Date] ?? "", out var sent) ? sent.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) : null;
        var who = string.Join(' ', new[] { subject, from }.Where(p => p is not null));
        return string.Join(", ", new[] { who, date }.Where(p => !string.IsNullOrEmpty(p)));
    }

    private static string Short(string text)
    {
        var line = string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        return line.Length <= MostLetters ? line : line[..MostLetters] + "…";
    }
}
