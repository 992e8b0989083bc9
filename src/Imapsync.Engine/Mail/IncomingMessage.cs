using System.Buffers;
using System.IO.Pipelines;
using Imapsync.Imap;

namespace Imapsync.Engine.Mail;

/// <summary>
/// A message on its way: what the target needs to know ahead of the octets, and the octets as a stream with a known length.
/// </summary>
public sealed class IncomingMessage
{
    private PipeReader? body;
    private IMemoryOwner<byte>? held;

    /// <param name="length">How many octets <paramref name="body"/> will give, exactly.</param>
    /// <param name="body">The octets as the source sent them, CRLF line ends as a rule. Read once; valid until the next message is asked for.</param>
    public IncomingMessage(MessageInfo info, long length, PipeReader body)
    {
        Info = info;
        Length = length;
        this.body = body;
    }

    /// <param name="held">The octets, whole and of exact length, which may be taken by <see cref="TakeHeld"/> instead of read.</param>
    public IncomingMessage(MessageInfo info, IMemoryOwner<byte> held)
    {
        Info = info;
        Length = held.Memory.Length;
        this.held = held;
    }

    /// <summary>A message that the source could not give.</summary>
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
        ??= PipeReader.Create(new ReadOnlySequence<byte>((held ?? throw new InvalidOperationException("the octets were taken")).Memory));

    public MailException? Failure { get; }

    /// <summary>
    /// The octets, where they are whole in memory and nobody took them yet, else null. They are the taker's, also after the next
    /// message was asked for, and it may write over them; disposing gives the memory back.
    /// </summary>
    public IMemoryOwner<byte>? TakeHeld()
    {
        var taken = held;
        held = null;
        return taken;
    }

    /// <summary>Something a person may want to know, e.g. that the length differs from the size announced.</summary>
    public string? Note { get; init; }
}

/// <summary>What became of one message of a window.</summary>
/// <param name="Source">Which message: the UID its <see cref="IncomingMessage"/> came with.</param>
/// <param name="Target">The UID the target gave; none where refused, or where the target could not say.</param>
/// <param name="Failure">Why the target refused it.</param>
/// <param name="Note">What the target had to change or leave out (a keyword, a date).</param>
public readonly record struct AppendReceipt(Uid Source, Uid Target, MailException? Failure = null, string? Note = null)
{
    public bool IsAccepted => Failure is null;
}
