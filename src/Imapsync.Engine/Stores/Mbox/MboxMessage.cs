using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Stores.Mbox;

/// <summary>One message that is being read from its file piece by piece.</summary>
internal sealed class MboxMessage : IDisposable
{
    private const int PieceBytes = 64 << 10;

    private readonly MboxInput input;
    private readonly MboxRecord record;
    private readonly MboxDecoder decoder;
    private long position;
    private bool isFinished;

    public MboxMessage(MboxInput input, MboxRecord record)
    {
        (this.input, this.record) = (input, record);
        decoder = new MboxDecoder(Decoded, record.Form);
    }

    /// <summary>Octets that were decoded and not yet removed by the reader.</summary>
    public ByteBuffer Decoded { get; } = new();

    /// <summary>The postmark with its LF, without the word that states the message's form.</summary>
    public byte[] PostmarkWithoutForm { get; private set; } = [];

    /// <summary>Reads the postmark. Throws if there is none at the recorded offset, because the file then differs from its index.</summary>
    public async ValueTask StartAsync(CancellationToken cancellationToken)
    {
        var beginning = await input.GetAsync(record.Offset, 5, cancellationToken);
        if (!beginning.Span.StartsWith("From "u8))
            throw Changed();
        var line = await input.GetLineAsync(record.Offset, Postmark.MaxLength, cancellationToken);
        position = record.Offset + (line?.Length ?? 4) + 1;
        PostmarkWithoutForm = Postmark.WithoutForm(line is { } octets ? octets.Span : "From "u8);
    }

    /// <summary>Decodes some more octets; false when nothing was left. Throws when the file ends too early.</summary>
    public async ValueTask<bool> DecodeAsync(CancellationToken cancellationToken)
    {
        if (isFinished)
            return false;
        var end = record.Offset + record.Length;
        if (position < end)
        {
            var octets = await input.GetAsync(position, 1, cancellationToken);
            if (octets.IsEmpty)
                throw Changed();
            octets = octets[..(int)Math.Min(Math.Min(octets.Length, PieceBytes), end - position)];
            decoder.Transform(octets.Span);
            position += octets.Length;
        }

        if (position >= end)
        {
            decoder.Finish();
            isFinished = true;
        }

        return true;
    }

    public MailException Changed() =>
        new(FailureScope.Message, isTransient: true, $"message {record.Uid} is not where it was: the mbox was changed by another program");

    public void Dispose() => Decoded.Dispose();
}
