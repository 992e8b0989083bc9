using Imapsync.Engine.Folders;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Copying;

/// <summary>Opens the two folders of a pair. The target's is null where there is none and none is needed as yet.</summary>
internal sealed class PairFolders(JobContext context, FolderPair pair)
{
    /// <summary>The target's is opened while the source's server answers, unless connections are scarce. Where both fail, what is told is the source's failure.</summary>
    public async Task<(IMessageFolder Source, IMessageFolder? Target)> OpenAsync(CancellationToken abort)
    {
        var source = context.Source.OpenAsync(pair.Source.Path, abort);
        if (context.Source.Traits.HasVaryingConnections || context.Target.Traits.HasVaryingConnections)
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
        if (context.Options.DryRun)
            return await context.LookAtTargetAsync(pair.Target, abort);
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
