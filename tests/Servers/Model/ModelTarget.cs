using Imapsync.Engine.Mail;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests.Model;

/// <summary>The target of a test round. Its users make their changes directly, not through the job's connections.</summary>
internal abstract class ModelTarget
{
    public abstract Endpoint Endpoint { get; }

    /// <summary>Whether users change mail at the target. If false, the target is a backup that only the job changes.</summary>
    public virtual bool HasUsers => true;

    /// <summary>The flags of <see cref="TargetUsers.Flags"/> that the target's users can set and clear.</summary>
    public virtual IReadOnlyList<string> UserFlags => TargetUsers.Flags;

    public abstract Task<MailboxSnapshot> ReadAsync();

    public virtual Task DeliverAsync(string folder, ReadOnlyMemory<byte> octets, DateTimeOffset date) => throw new NotSupportedException();

    public virtual Task FlagAsync(string folder, string digest, string flag, bool add) => throw new NotSupportedException();
}

internal sealed class ImapTarget(DovecotServer server, string user, ImapEndpoint endpoint) : ModelTarget
{
    public override Endpoint Endpoint => endpoint;

    public override async Task<MailboxSnapshot> ReadAsync()
    {
        await using var probe = await ConnectAsync();
        return (await probe.SnapshotAsync()).WithoutSubscriptions();
    }

    public override async Task DeliverAsync(string folder, ReadOnlyMemory<byte> octets, DateTimeOffset date)
    {
        await using var probe = await ConnectAsync();
        await probe.AppendAsync(folder, octets, "", date);
    }

    public override async Task FlagAsync(string folder, string digest, string flag, bool add)
    {
        await using var probe = await ConnectAsync();
        var uid = (await probe.FetchAsync(folder)).First(m => m.Message.Digest == digest).Uid;
        await probe.CommandAsync("SELECT " + ImapProbe.Quote(folder));
        await probe.CommandAsync($"UID STORE {uid} {(add ? '+' : '-')}FLAGS ({flag})");
    }

    private Task<ImapProbe> ConnectAsync() => ImapProbe.ConnectAsync(server.Port, user, server.Password);
}

/// <summary>A Maildir. Mail is delivered as delivery agents do it. Its users set only flags that have a letter in file names.</summary>
internal sealed class MaildirTarget(string directory) : ModelTarget
{
    public override Endpoint Endpoint { get; } = new MaildirEndpoint(directory);

    public override IReadOnlyList<string> UserFlags => ["\\Answered"];

    public override Task<MailboxSnapshot> ReadAsync() => Task.FromResult(
        Directory.Exists(Path.Combine(directory, "cur")) ? MaildirReader.Read(directory).WithoutSubscriptions() : new MailboxSnapshot());

    public override async Task DeliverAsync(string folder, ReadOnlyMemory<byte> octets, DateTimeOffset date)
    {
        var path = new MaildirWriter(directory).FolderDirectory(folder);
        var name = $"{date.ToUnixTimeSeconds()}.M{Convert.ToHexStringLower(Guid.NewGuid().ToByteArray())}.elsewhere";
        var file = Path.Combine(path, "tmp", name);
        await File.WriteAllBytesAsync(file, octets);
        File.SetLastWriteTimeUtc(file, date.UtcDateTime);
        File.Move(file, Path.Combine(path, "new", name));
    }

    public override Task FlagAsync(string folder, string digest, string flag, bool add)
    {
        var path = new MaildirWriter(directory).FolderDirectory(folder);
        var file = Directory.GetFiles(Path.Combine(path, "cur")).Concat(Directory.GetFiles(Path.Combine(path, "new"))).First(f => MaildirReader.DigestOf(f) == digest);
        var parts = Path.GetFileName(file).Split(":2,");
        var letters = (parts.Length > 1 ? parts[1] : "").Replace("R", "", StringComparison.Ordinal) + (add ? "R" : "");
        File.Move(file, Path.Combine(path, "cur", $"{parts[0]}:2,{string.Concat(letters.Order())}"));
        return Task.CompletedTask;
    }
}

internal sealed class MboxTarget(string directory) : ModelTarget
{
    public override Endpoint Endpoint { get; } = new MboxEndpoint(directory);

    public override bool HasUsers => false;

    public override async Task<MailboxSnapshot> ReadAsync() => (await StoreReader.ReadMboxAsync(directory)).WithoutSubscriptions();
}
