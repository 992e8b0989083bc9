using Imapsync.Engine.Folders;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Copying;

/// <summary>Opens the two folders of a pair. The target's is null where there is none and none is needed as yet.</summary>
internal sealed class PairFolders(JobContext context, FolderPair pair)
{
    /// <summary>
    /// The target's is opened while the source's server answers where one pair is worked on at a time. Else the source's comes first for all:
    /// a server may give fewer connections than it was asked for, and two that each had one side would wait for each other's for ever.
    /// Where both fail, what is told is the source's failure.
    /// </summary>
    public async Task<(IMessageFolder Source, IMessageFolder? Target)> OpenAsync(CancellationToken abort)
    {
        var source = context.Source.OpenAsync(pair.Source.Path, abort);
        if (Math.Min(context.Source.Traits.MaxConcurrentFolders, context.Target.Traits.MaxConcurrentFolders) > 1)
            await source;
        var target = OpenTargetAsync(abort);
        try
        {
            await Task.WhenAll((Task)source, target);
            return (await source, await target);
        }
        catch
        {
            if (source.IsCompletedSuccessfully)
                await (await source).DisposeAsync();
            if (target.IsCompletedSuccessfully && await target is { } opened)
                await opened.DisposeAsync();
            await source;
            throw;
        }
    }

    private async Task<IMessageFolder?> OpenTargetAsync(CancellationToken abort)
    {
        try
        {
            return await context.Target.OpenForWritingAsync(pair.Target, abort);
        }
        catch (MailException e) when (e.Kind == FailureKind.Gone && context.Job.IsRestore)
        {
            return null;
        }
    }
}
