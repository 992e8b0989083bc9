using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Imapsync.Engine.Mail;
using Imapsync.Engine.State;

namespace Imapsync.Engine.Jobs;

/// <summary>The backup that a restore job reads from.</summary>
/// <param name="Backup">The job that made the backup.</param>
/// <param name="Folders">Globs for the folders to restore; empty for all except the backup's trash folder.</param>
public sealed record RestoreOrigin(JobDefinition Backup, ImmutableArray<string> Folders)
{
    /// <summary>The messages of the backup to restore; empty for all that match the other conditions.</summary>
    public ImmutableArray<MessageAddress> Chosen { get; init; } = [];

    /// <summary>
    /// Creates the reverse of the backup's job: it reads the backup and writes to the backup's source or to <paramref name="to"/>.
    /// </summary>
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

    /// <summary>
    /// Returns the restore's state directory. There is one per target, which records what that target received from the backup.
    /// </summary>
    public static StateLocation StateOf(JobDefinition backup, Endpoint target) => backup.State with
    {
        Part = $"restore-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(target.Identity)).AsSpan(0, 8))}",
    };

    /// <summary>Returns whether the folder is the backup's trash folder or below it.</summary>
    public bool IsTrash(FolderPath folder) => Backup.Deletions == DeletionPolicy.Trash && folder.IsAtOrBelow(Backup.TrashFolder);
}
