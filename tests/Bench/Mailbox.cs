using Imapsync.Tests.Support;

namespace Imapsync.Bench;

/// <summary>A generated mailbox on disk.</summary>
/// <param name="Folders">The folders' names, including INBOX.</param>
/// <param name="Writer">Adds more mail to the mailbox.</param>
internal sealed record Mailbox(string Directory, IReadOnlyList<string> Folders, MaildirWriter Writer)
{
    private Dictionary<string, List<byte[]>>? loaded;

    public int Messages => Writer.Count;

    /// <summary>Generates the ordinary mailbox: twelve folders, with sizes and flags as in real mailboxes.</summary>
    public static Mailbox Ordinary(string directory, MailboxPlan plan) =>
        new(directory, plan.OnlyFolder is { } one ? ["INBOX", one] : MailGenerator.Folders, MailGenerator.Fill(directory, plan));

    /// <summary>Generates many folders with one small message each.</summary>
    public static Mailbox OfManyFolders(string directory, int count)
    {
        System.IO.Directory.CreateDirectory(directory);
        var writer = new MaildirWriter(directory);
        string[] names = ["INBOX", .. Enumerable.Range(1, count - 1).Select(n => $"Folder {n:d5}")];
        for (var i = 0; i < names.Length; i++)
            writer.Add(names[i], MailGenerator.Message(i), MailGenerator.Date(i), "S");
        return new Mailbox(directory, names, writer);
    }

    /// <summary>Generates one message of the given size, consisting of lines.</summary>
    public static Mailbox OfOneMessage(string directory, int bytes)
    {
        System.IO.Directory.CreateDirectory(directory);
        var message = MailGenerator.Message(1, 100_000);
        var octets = new byte[bytes];
        for (var at = 0; at < bytes; at += message.Length)
            message.AsSpan(0, Math.Min(message.Length, bytes - at)).CopyTo(octets.AsSpan(at));
        var writer = new MaildirWriter(directory);
        writer.Add("INBOX", octets, MailGenerator.Date(1), "S");
        return new Mailbox(directory, ["INBOX"], writer);
    }

    /// <summary>Loads all messages, by folder, with CRLF line ends.</summary>
    public Dictionary<string, List<byte[]>> Load() => loaded ??= Folders.ToDictionary(
        f => f,
        f => System.IO.Directory.EnumerateFiles(Path.Combine(Writer.FolderDirectory(f), "cur")).Select(WithCrlf).ToList());

    private static byte[] WithCrlf(string file)
    {
        var octets = File.ReadAllBytes(file);
        var wire = new byte[octets.Length + octets.AsSpan().Count((byte)'\n')];
        var at = 0;
        foreach (var octet in octets)
        {
            if (octet == '\n')
                wire[at++] = (byte)'\r';
            wire[at++] = octet;
        }

        return wire;
    }
}
