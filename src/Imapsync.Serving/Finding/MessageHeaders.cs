using System.Text;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Reading;
using Imapsync.Serving.Texts;
using MimeKit.Utils;

namespace Imapsync.Serving.Finding;

/// <summary>The header of one message, decoded for display; repeated fields are all kept.</summary>
internal sealed class MessageHeaders(ReadOnlyMemory<byte> octets)
{
    private readonly List<(string Name, byte[] Value)> fields = [.. HeaderText.Fields(octets)];

    /// <summary>Field names with decoded, unfolded values, in their original order.</summary>
    public IEnumerable<(string Name, string Value)> All => fields.Select(f => (f.Name, HeaderText.Decode(f.Value)));

    public string? Subject => First("Subject");

    public string? From => First("From");

    public string? To => First("To");

    public DateTimeOffset? Date => Raw("Date") is { } value && DateUtils.TryParse(value, out var date) ? date : null;

    public string? MessageId => Raw("Message-ID") is { } value && Engine.Matching.MessageId.Normalize(Encoding.Latin1.GetString(value)) is { Length: > 0 } id ? id : null;

    /// <summary>Whether one of the named fields contains the text.</summary>
    public bool Has(string text, params ReadOnlySpan<string> names)
    {
        foreach (var (name, value) in fields)
        {
            foreach (var wanted in names)
            {
                if (name.Equals(wanted, StringComparison.OrdinalIgnoreCase) && TextMatch.Has(HeaderText.Decode(value), text))
                    return true;
            }
        }

        return false;
    }

    /// <summary>The values of these fields, one per line.</summary>
    public string Joined(params string[] names) =>
        string.Join('\n', fields.Where(f => names.Contains(f.Name, StringComparer.OrdinalIgnoreCase)).Select(f => HeaderText.Decode(f.Value)));

    public FoundMessage Describe(MessageAddress id, in MessageInfo info, IReadOnlyList<string>? attachments) =>
        new(id, info.InternalDate, info.Size, info.Flags, Subject, From, To, Date, MessageId, attachments);

    private byte[]? Raw(string name) => fields.Find(f => f.Name.Equals(name, StringComparison.OrdinalIgnoreCase)).Value;

    private string? First(string name) => Raw(name) is { } value && HeaderText.Decode(value) is { Length: > 0 } text ? text : null;
}
