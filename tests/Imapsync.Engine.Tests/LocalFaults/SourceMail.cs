using System.Security.Cryptography;
using Imapsync.Engine.Tests.Copying;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.LocalFaults;

/// <summary>Converts mail of a source in memory to the form that readers of files return, so that tests can compare the two.</summary>
internal static class SourceMail
{
    public static string Digest(byte[] octets) => Convert.ToHexStringLower(SHA256.HashData(octets));

    public static HashSet<string> Digests(MailboxFixture box) =>
        [.. box.Source.Folders.Values.SelectMany(f => f.Messages).Select(m => Digest(m.Octets))];

    public static MailboxSnapshot Snapshot(MailboxFixture box)
    {
        var mailbox = new MailboxSnapshot();
        foreach (var (path, folder) in box.Source.Folders)
        {
            mailbox.Add(string.Join('/', path.Levels), folder.Subscribed, folder.Messages.Select(m => new SnapshotMessage(
                Digest(m.Octets), m.Octets.Length, SnapshotMessage.Canonical(m.Flags.Names), m.Date)));
        }

        return mailbox;
    }
}
