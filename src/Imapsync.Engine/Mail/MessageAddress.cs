using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Imapsync.Imap;

namespace Imapsync.Engine.Mail;

/// <summary>
/// Identifies a message of a store in a form that people copy from one command to the next: <c>Projects/Boat house:1700000000.12</c> is the
/// folder, the UIDVALIDITY and the UID.
/// </summary>
public sealed record MessageAddress(FolderPath Folder, UidValidity Validity, Uid Uid)
{
    /// <summary>
    /// The lowest UID that this program assigns to messages that a folder's own list of UIDs lacks, because another program put them there.
    /// Such UIDs are recorded in a job's state directory, so a job with another state directory has other UIDs for the same messages.
    /// </summary>
    public const uint FirstRemembered = 1u << 31;

    public static bool TryParse(string text, [NotNullWhen(true)] out MessageAddress? address)
    {
        address = null;
        var colon = text.LastIndexOf(':');
        var numbers = colon <= 0 ? [] : text[(colon + 1)..].Split('.');
        if (numbers.Length == 2 && TryNumber(numbers[0], out var validity) && TryNumber(numbers[1], out var uid) && FolderPath.TryParse(text[..colon], out var folder))
            address = new MessageAddress(folder, new UidValidity(validity), new Uid(uid));
        return address is not null;
    }

    public override string ToString() => $"{Folder}:{Validity}.{Uid}";

    private static bool TryNumber(string text, out uint number) =>
        uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number != 0;
}
