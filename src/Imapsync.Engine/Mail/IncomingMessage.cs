using System.Buffers;
using System.IO.Pipelines;
using Imapsync.Imap;

namespace Imapsync.Engine.Mail;

/// <summary>
/// A message on its way to a target: the metadata that the target needs before the octets, and the octets as a stream of known length.
/// </summary>
public sealed class IncomingMessage
{
    private PipeReader? body;
    private IMemoryOwner<byte>? held;

    /// <param name="length">The exact number of octets that <paramref name="body"/> will yield.</param>
    /// <param name="body">
    /// The octets as the source sent them, usually with CRLF line ends. Readable once; valid until the next message is requested.
    /// </param>
    public IncomingMessage(MessageInfo info, long length, PipeReader body)
    {
        Info = info;
        Length = length;
        this.body = body;
    }

    /// <param name="held">
    /// All octets of the message, in a memory block of exactly its length. <see cref="TakeHeld"/> hands the block over as an alternative to
    /// reading.
    /// </param>
    public IncomingMessage(MessageInfo info, IMemoryOwner<byte> held)
    {
        Info = info;
        Length = held.Memory.Length;
        this.held = held;
    }

    /// <summary>Represents a message that the source could not deliver.</summary>
    public IncomingMessage(MessageInfo info, MailException failure)
    {
        Info = info;
        Failure = failure;
        body = PipeReader.Create(ReadOnlySequence<byte>.Empty);
    }

    public MessageInfo Info { get; }

    public Uid Uid => Info.Uid;

    public long Length { get; }

    public PipeReader Body => body
        ??= PipeReader.Create(SequenceOf((held ?? throw new InvalidOperationException("the octets were taken")).Memory));

    public MailException? Failure { get; }

    /// <summary>
    /// A sequence of an empty part of a larger array keeps the part's offset and can't be enumerated, so an empty message gets the empty sequence.
    /// </summary>
    private static ReadOnlySequence<byte> SequenceOf(ReadOnlyMemory<byte> octets) => octets.IsEmpty ? ReadOnlySequence<byte>.Empty : new(octets);

    /// <summary>
    /// Hands the octets over to the caller if all of them are in memory and were not taken before; otherwise returns null. The caller may overwrite them
    /// and keep them after the next message is requested. Disposing the result releases the memory.
    /// </summary>
    public IMemoryOwner<byte>? TakeHeld()
    {
        var taken = held;
        held = null;
        return taken;
    }

    /// <summary>A remark for people, e.g. that the length differs from the size announced.</summary>
    public string? Note { get; init; }
}

/// <summary>The result of appending one message.</summary>
/// <param name="Source">The UID of the <see cref="IncomingMessage"/>.</param>
/// <param name="Target">The UID that the target assigned; none if the message was refused, or if the target did not report the UID.</param>
/// <param name="Failure">Why the target refused the message.</param>
/// <param name="Note">What the target had to change or leave out (a keyword, a date).</param>
public readonly record struct AppendReceipt(Uid Source, Uid Target, MailException? Failure = null, string? Note = null)
{
    public bool IsAccepted => Failure is null;
}
