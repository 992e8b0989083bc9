using Imapsync.Engine.Folders;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Copying;

/// <summary>Opens the two folders of a pair. The target folder is null if it does not exist and is not needed yet.</summary>
internal sealed class PairFolders(JobContext context, FolderPair pair)
{
    /// <summary>
    /// Opens both folders in parallel if pairs are processed one at a time. With several workers, each opens its source folder first.
    /// Otherwise two workers that each hold one connection could wait for each other forever, if a server allows fewer connections than
    /// requested. If neither folder can be opened, the source's failure is thrown.
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
