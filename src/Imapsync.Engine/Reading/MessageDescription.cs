using System.Text;
using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;
using Imapsync.Imap;
using MimeKit;
using MimeKit.Utils;

namespace Imapsync.Engine.Reading;

/// <summary>Reads sender, subject and date of messages from their headers.</summary>
internal static class MessageDescription
{
    /// <summary>
    /// The most messages described per call. Each description costs the reading of a header, and no user reads more descriptions than this.
    /// </summary>
    public const int MostAtOnce = 50;
    private const int MostLetters = 80;

    // The code pages are registered before MimeKit looks up charsets, since .NET itself supports only a few.
    static MessageDescription() => Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);

    /// <summary>Describes the first messages of a list in an open folder. Unreadable messages have no description.</summary>
    public static async Task<IReadOnlyDictionary<Uid, Envelope>> ReadAsync(IMessageFolder folder, IEnumerable<Uid> uids, CancellationToken cancellationToken)
    {
        var described = new Dictionary<Uid, Envelope>();
        var first = new UidSet(uids.Take(MostAtOnce));
        if (first.IsEmpty)
            return described;
        try
        {
            await foreach (var header in folder.ReadHeadersAsync(first, cancellationToken))
            {
                if (Of(header.Octets) is { } envelope)
                    described[header.Uid] = envelope;
            }
        }
        catch (Exception e) when (e is MailException || FileErrors.Is(e))
        {
            // The failure is ignored, since the description is optional, and the reading of the messages themselves reports the failure.
        }

        return described;
    }

    /// <returns>The description; null when the header has neither sender, subject nor date.</returns>
    public static Envelope? Of(ReadOnlyMemory<byte> header)
    {
        HeaderList fields;
        try
        {
            using var octets = new MemoryStream(header.ToArray());
            fields = HeaderList.Load(octets);
        }
        catch (FormatException)
        {
            return null;
        }

        // The raw octets are parsed, since a comma in a decoded name would look like the end of an address.
        var from = fields.FirstOrDefault(f => f.Id == HeaderId.From) is { } field && InternetAddressList.TryParse(field.RawValue, out var authors)
            ? authors.FirstOrDefault()
            : null;
        var address = (from as MailboxAddress ?? (from as GroupAddress)?.Members.OfType<MailboxAddress>().FirstOrDefault())?.Address;
        DateTimeOffset? date = DateUtils.TryParse(fields[HeaderId.Date] ?? "", out var sent) ? sent : null;
        var envelope = new Envelope(Short(fields[HeaderId.Subject]), Short(from?.Name), Short(address), date);
        return envelope == new Envelope(null, null, null, null) ? null : envelope;
    }

    private static string? Short(string? text)
    {
        var line = string.Join(' ', (text ?? "").Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        if (line.Length == 0)
            return null;
        return line.Length <= MostLetters ? line : line[..(char.IsHighSurrogate(line[MostLetters - 1]) ? MostLetters - 1 : MostLetters)] + "…";
    }
}
