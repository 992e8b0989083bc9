using System.Buffers;
using System.Collections.Immutable;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;
using Imapsync.Imap;
using Microsoft.Win32.SafeHandles;

namespace Imapsync.Engine.Stores.Mbox;

/// <summary>
/// An mbox open for reading. Nothing is written, and no lock is held while messages are read. If the file's length or time shows a change,
/// a message is accepted only if its octets still have the recorded digest.
/// </summary>
internal class MboxFolder : IMessageFolder
{
    private const int MaxHeaderBytes = 1 << 20;

    /// <summary>Messages of up to this size are read completely before they are returned.</summary>
    private const int WholeBytes = 256 << 10;

    private SafeFileHandle file;

    public MboxFolder(FolderPath path, SafeFileHandle file, MboxState state)
    {
        Path = path;
        this.file = file;
        State = state;
        Status = state.Status;
        LastingUidValidity = state.LastingValidity;
    }

    public FolderPath Path { get; }

    public FolderStatus Status { get; }

    public IReadOnlyDictionary<Uid, Uid> Predecessors => ImmutableDictionary<Uid, Uid>.Empty;

    public UidValidity LastingUidValidity { get; }

    protected MboxState State { get; set; }

    public async IAsyncEnumerable<MessageInfo> ListAsync(ListRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.CompletedTask;
        var records = State.Records;
        var count = records.Count;
        for (var i = 0; i < count; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var record = records[i];
            if (request.Uids is null || request.Uids.Contains(record.Uid))
                yield return request.WithDateAndSize ? InfoOf(record) : new MessageInfo(record.Uid, record.Flags);
        }
    }

    public Task<int> RemoveCopiedAsync(UidSet uids, CancellationToken cancellationToken) => throw new NotSupportedException("nothing is removed from this source");

    public async IAsyncEnumerable<MessageHeader> ReadHeadersAsync(UidSet uids, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var input = new MboxInput(file);
        foreach (var record in State.Chosen(uids).ToArray())
        {
            var header = await ReadHeaderAsync(input, record, cancellationToken);
            if (MboxStamp.Of(file) != State.Stamp)
                await RequireUnchangedAsync(record, cancellationToken);
            if (header is not null)
                yield return new MessageHeader(record.Uid, header);
        }
    }

    public async IAsyncEnumerable<IncomingMessage> ReadAsync(
        IEnumerable<MessageInfo> messages, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var input = new MboxInput(file);
        foreach (var wanted in messages)
        {
            var at = State.IndexOf(wanted.Uid);
            if (at < 0)
                continue;
            var record = State.Records[at];
            using var message = new MboxMessage(input, record);
            if (await StartAsync(message, record, cancellationToken) is { } failure)
            {
                if (MboxStamp.Of(file) != State.Stamp)
                    throw Rewritten(record);
                yield return new IncomingMessage(InfoOf(record), failure);
                continue;
            }

            if (record.Octets <= WholeBytes)
            {
                if (MboxStamp.Of(file) != State.Stamp && DigestOf(message.Decoded.Written.Span) != record.Digest)
                    throw Rewritten(record);
                yield return new IncomingMessage(InfoOf(record), record.Octets, PipeReader.Create(new ReadOnlySequence<byte>(message.Decoded.Written)));
                continue;
            }

            await using var stream = new MboxMessageStream(
                message, record, () => MboxStamp.Of(file) == State.Stamp ? null : Rewritten(record));
            var body = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: 64 << 10, leaveOpen: true));
            yield return new IncomingMessage(InfoOf(record), record.Octets, body);
            await body.CompleteAsync();
        }
    }

    public virtual ValueTask DisposeAsync()
    {
        file.Dispose();
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    /// <summary>Opens the file that has replaced the one opened so far.</summary>
    protected void Reopen(string path)
    {
        file.Dispose();
        file = Open(path);
    }

    public static SafeFileHandle Open(string path)
    {
        Nodes.RequireNoDevice(path);
        return File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
    }

    private static MessageInfo InfoOf(MboxRecord record) => new(record.Uid, record.Flags, record.Date, record.Octets);

    private static UInt128 DigestOf(ReadOnlySpan<byte> octets)
    {
        Span<byte> digest = stackalloc byte[System.Security.Cryptography.SHA256.HashSizeInBytes];
        System.Security.Cryptography.SHA256.HashData(octets, digest);
        return System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(digest);
    }

    private MailException Rewritten(MboxRecord record) => new(
        FailureScope.Folder, isTransient: true, $"{Path}: another program wrote the mbox anew while it was read (message {record.Uid} is another one now)");

    /// <summary>Reads a message to its end and throws when it differs from the one recorded.</summary>
    private async Task RequireUnchangedAsync(MboxRecord record, CancellationToken cancellationToken)
    {
        using var input = new MboxInput(file);
        using var message = new MboxMessage(input, record);
        using var hash = System.Security.Cryptography.IncrementalHash.CreateHash(System.Security.Cryptography.HashAlgorithmName.SHA256);
        try
        {
            await message.StartAsync(cancellationToken);
            while (await message.DecodeAsync(cancellationToken))
            {
                hash.AppendData(message.Decoded.Written.Span);
                message.Decoded.Clear();
            }
        }
        catch (MailException)
        {
            throw Rewritten(record);
        }

        if (MboxScanner.FinishDigest(hash) != record.Digest)
            throw Rewritten(record);
    }

    /// <summary>
    /// Checks that the message is still in the file, and decodes a small message completely. Returns the failure, or null if the message
    /// can be read.
    /// </summary>
    private static async Task<MailException?> StartAsync(MboxMessage message, MboxRecord record, CancellationToken cancellationToken)
    {
        try
        {
            await message.StartAsync(cancellationToken);
            if (record.Octets > WholeBytes)
                return null;
            while (message.Decoded.Count <= record.Octets && await message.DecodeAsync(cancellationToken))
            {
            }

            return message.Decoded.Count == record.Octets ? null : message.Changed();
        }
        catch (MailException failure)
        {
            return failure;
        }
        catch (Exception error) when (FileErrors.Is(error))
        {
            return new MailException(FailureScope.Message, isTransient: false, $"message {record.Uid} cannot be read: {error.Message}", error);
        }
    }

    private static async Task<byte[]?> ReadHeaderAsync(MboxInput input, MboxRecord record, CancellationToken cancellationToken)
    {
        using var message = new MboxMessage(input, record);
        try
        {
            await message.StartAsync(cancellationToken);
            var searched = 0;
            while (message.Decoded.Count < MaxHeaderBytes && await message.DecodeAsync(cancellationToken))
            {
                if (HeaderLength(message.Decoded.Written.Span, ref searched) is { } length)
                    return message.Decoded.Written[..Math.Min(length, MaxHeaderBytes)].ToArray();
            }

            return message.Decoded.Written[..Math.Min(message.Decoded.Count, MaxHeaderBytes)].ToArray();
        }
        catch (MailException)
        {
            return null;
        }
    }

    /// <summary>Returns the length of the header, including the first empty line; null when there is no empty line yet.</summary>
    /// <param name="searched">The start of the first line that was not examined yet; updated.</param>
    private static int? HeaderLength(ReadOnlySpan<byte> octets, ref int searched)
    {
        while (true)
        {
            var end = octets[searched..].IndexOf((byte)'\n');
            if (end < 0)
                return null;
            var line = octets.Slice(searched, end);
            searched += end + 1;
            if (line.IsEmpty || line is [(byte)'\r'])
                return searched;
        }
    }
}
