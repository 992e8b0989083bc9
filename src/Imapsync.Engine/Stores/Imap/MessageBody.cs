using System.IO.Pipelines;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Stores.Imap;

/// <summary>A body read from the connection; its failures are reported as failures of its folder.</summary>
internal sealed class MessageBody(PipeReader inner, FolderPath path) : PipeReader
{
    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            var read = inner.ReadAsync(cancellationToken);
            return read.IsCompletedSuccessfully ? read : WaitAsync(read);
        }
        catch (Exception e) when (ImapFailure.IsImap(e))
        {
            throw Lost(e);
        }
    }

    public override bool TryRead(out ReadResult result)
    {
        try
        {
            return inner.TryRead(out result);
        }
        catch (Exception e) when (ImapFailure.IsImap(e))
        {
            throw Lost(e);
        }
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        try
        {
            inner.AdvanceTo(consumed, examined);
        }
        catch (Exception e) when (ImapFailure.IsImap(e))
        {
            throw Lost(e);
        }
    }

    public override void CancelPendingRead() => inner.CancelPendingRead();

    public override void Complete(Exception? exception = null) => inner.Complete(exception);

    private async ValueTask<ReadResult> WaitAsync(ValueTask<ReadResult> read)
    {
        try
        {
            return await read;
        }
        catch (Exception e) when (ImapFailure.IsImap(e))
        {
            throw Lost(e);
        }
    }

    private MailException Lost(Exception e) => ImapFailure.Translate(e, FailureScope.Folder, $"reading {path} broke off in a message");
}
