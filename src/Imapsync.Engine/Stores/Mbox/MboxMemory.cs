using System.Security.Cryptography;
using System.Text;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Local;

namespace Imapsync.Engine.Stores.Mbox;

/// <summary>
/// The index of an mbox beside which nothing may be written. The job's state keeps it, so that messages have lasting UIDs and removals and
/// flag changes are noticed. Its name depends on the mbox's path, so a moved mbox gets new UIDs.
/// </summary>
internal sealed class MboxMemory(string indexPath, bool isReadOnly)
{
    public string IndexPath => indexPath;

    /// <summary>
    /// Returns the mbox's index in the job's state. Null if an index file is beside the mbox, or if the job has no state directory.
    /// </summary>
    public static MboxMemory? Of(string file, StoreContext context)
    {
        if (context.MemoryDirectory is not { } directory || File.Exists(file + FileNames.IndexSuffix))
            return null;
        var name = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(file)))[..32];
        return new MboxMemory(Path.Combine(directory, name + FileNames.IndexSuffix), context.MemoryIsReadOnly);
    }

    /// <summary>Stores the findings durably, before any of the UIDs is used.</summary>
    public async Task<MboxState> KeepAsync(MboxFindings found, CancellationToken cancellationToken)
    {
        if (isReadOnly || (found.IsIndexed && !found.Index.IsTorn))
            return found.State;
        var validity = found.Index.Condition == IndexCondition.Good ? found.Index.Validity : MboxFile.NewValidity(found.Index.Validity);
        var state = found.State with { Validity = validity, LastingValidity = validity };
        LocalFiles.CreateDirectory(Path.GetDirectoryName(indexPath)!);
        // If it is unclear where messages begin, the index is stored without the mbox's length and time. So the next run reads the whole
        // file and reports the doubts again.
        await MboxIndex.SaveAsync(indexPath, found.Doubts.Count == 0 ? state : state with { Stamp = default }, cancellationToken);
        return state;
    }
}
