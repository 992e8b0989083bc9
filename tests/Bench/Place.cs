using System.Buffers;
using Imapsync.Tests.Support;

namespace Imapsync.Bench;

/// <summary>A source or target of mail, which can describe itself in the configuration formats of imapsync and mbsync.</summary>
internal abstract record Place
{
    /// <summary>The lines below <c>source:</c> or <c>target:</c> in a job file.</summary>
    public abstract IReadOnlyList<string> JobLines { get; }

    /// <summary>The definition of a store for mbsync; null if mbsync does not support this kind of store.</summary>
    /// <param name="name">The name by which channels refer to the store.</param>
    public abstract string? MbsyncStore(string name);

    /// <summary>Counts the messages stored in this place, by looking at the files.</summary>
    public abstract long CountMessages();

    public abstract void Delete();

    /// <summary>Counts the message files in a tree of Maildirs.</summary>
    protected static long CountMaildir(string directory) => !Directory.Exists(directory)
        ? 0
        : MaildirFiles(directory).LongCount();

    protected static IEnumerable<string> MaildirFiles(string directory) =>
        Directory.EnumerateDirectories(directory, "*", SearchOption.AllDirectories).Where(d => Path.GetFileName(d) is "cur" or "new").SelectMany(Directory.EnumerateFiles);

    protected static void DeleteTree(string directory)
    {
        if (Directory.Exists(directory))
            Directory.Delete(directory, recursive: true);
    }
}

/// <summary>An account on a local server.</summary>
/// <param name="Port">The port of the server, or of a proxy in front of it.</param>
internal abstract record AccountPlace(string User, int Port, string Password, bool IsTls, string CaFile) : Place
{
    public override IReadOnlyList<string> JobLines => IsTls
        ? [$"url: imaps://{User}@localhost:{Port}", $"tls_ca_file: {CaFile}", $"password: {Password}"]
        : [$"url: imap://{User}@127.0.0.1:{Port}", "tls: none", $"password: {Password}"];

    public override string MbsyncStore(string name) => $"""
        IMAPAccount {name}
        Host {(IsTls ? "localhost" : "127.0.0.1")}
        Port {Port}
        User {User}
        Pass {Password}
        AuthMechs LOGIN
        {(IsTls ? $"SSLType IMAPS\nSystemCertificates no\nCertificateFile {CaFile}" : "SSLType None")}

        IMAPStore {name}
        Account {name}


        """;
}

/// <summary>An account on a private Dovecot.</summary>
internal sealed record ImapPlace(DovecotServer Server, string User, int Port, bool IsTls = false)
    : AccountPlace(User, Port, Server.Password, IsTls, Server.Authority.CaFile)
{
    public string Directory => Server.MaildirOf(User);

    public override long CountMessages() => CountMaildir(Directory);

    public override void Delete() => DeleteTree(Directory);
}

/// <summary>The account of an <see cref="OctetServer"/>, which stores octets unaltered.</summary>
internal sealed record OctetPlace(OctetServer Server) : AccountPlace("alice", Server.Port, "pass", IsTls: false, CaFile: "")
{
    public override long CountMessages() => Server.Messages.Count;

    public override void Delete()
    {
    }
}

internal sealed record MaildirPlace(string Directory) : Place
{
    public override IReadOnlyList<string> JobLines => ["url: maildir:" + Directory];

    public override string MbsyncStore(string name)
    {
        System.IO.Directory.CreateDirectory(Directory);
        return $"""
            MaildirStore {name}
            Path {Directory}/
            Inbox {Directory}/INBOX
            SubFolders Verbatim


            """;
    }

    public override long CountMessages() => CountMaildir(Directory);

    /// <summary>Counts the messages that have a flag, by its letter in the file name.</summary>
    public long CountFlagged(char letter) =>
        MaildirFiles(Directory).LongCount(f => f.LastIndexOf(":2,", StringComparison.Ordinal) is > 0 and var at && f.IndexOf(letter, at) > 0);

    public override void Delete() => DeleteTree(Directory);
}

internal sealed record MboxPlace(string Directory) : Place
{
    private static readonly SearchValues<byte> LineEnd = SearchValues.Create("\n"u8);

    public override IReadOnlyList<string> JobLines => ["url: mbox:" + Directory];

    public override string? MbsyncStore(string name) => null;

    public override long CountMessages() => !System.IO.Directory.Exists(Directory)
        ? 0
        : System.IO.Directory.EnumerateFiles(Directory, "*", SearchOption.AllDirectories).Where(f => !Path.GetFileName(f).StartsWith('.')).Sum(CountPostmarks);

    public override void Delete() => DeleteTree(Directory);

    private static long CountPostmarks(string file)
    {
        var octets = File.ReadAllBytes(file).AsSpan();
        var count = 0L;
        while (!octets.IsEmpty)
        {
            count += octets.StartsWith("From "u8) ? 1 : 0;
            var end = octets.IndexOfAny(LineEnd);
            octets = end < 0 ? default : octets[(end + 1)..];
        }

        return count;
    }
}
