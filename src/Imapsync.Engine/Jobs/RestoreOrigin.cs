using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Imapsync.Engine.Mail;
using Imapsync.Engine.State;

namespace Imapsync.Engine.Jobs;

/// <summary>What a job that restores knows of the backup.</summary>
/// <param name="Backup">The job that made it.</param>
/// <param name="Folders">Globs over the names of the folders that get mail back; empty for all but the backup's trash folder.</param>
public sealed record RestoreOrigin(JobDefinition Backup, ImmutableArray<string> Folders)
{
    /// <summary>The messages of the backup that are to come back; empty for all that else fits.</summary>
    public ImmutableArray<MessageAddress> Chosen { get; init; } = [];

    /// <summary>The backup's job run backwards: what it wrote is read, what it read, or <paramref name="to"/>, is written.</summary>
    public JobDefinition ToJob(Endpoint? to, MessageFilter messages)
    {
        var target = to ?? Backup.Source;
        return new JobDefinition(Backup.Name, Backup.Target, target)
        {
            Messages = messages,
            Flags = FlagPolicy.Once,
            Labels = Backup.Labels,
            Deletions = DeletionPolicy.Keep,
            Retry = Backup.Retry,
            MaxDuration = Backup.MaxDuration,
            Restores = this,
            StateDirectory = Backup.StateDirectory,
            State = StateOf(Backup, target),
        };
    }

    /// <summary>Each target remembers for itself what it got back from a backup.</summary>
    public static StateLocation StateOf(JobDefinition backup, Endpoint target) => backup.State with
    {
        Part = $"restore-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(target.Identity)).AsSpan(0, 8))}",
    };

    /// <summary>True for the folder of the backup that keeps what was removed from it.</summary>
    public bool IsTrash(FolderPath folder) => Backup.Deletions == DeletionPolicy.Trash && folder.IsAtOrBelow(Backup.TrashFolder);
}
