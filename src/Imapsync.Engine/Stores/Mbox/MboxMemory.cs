using System.Security.Cryptography;
using System.Text;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Local;

namespace Imapsync.Engine.Stores.Mbox;

/// <summary>
/// The index of an mbox beside which nothing may be written: it is kept in the job's state, so that another program's mbox has lasting UIDs as a
/// source, and deletions and flag changes there can be followed. The index's name includes the mbox's path, so another path begins anew.
/// </summary>
internal sealed class MboxMemory(string indexPath, bool isReadOnly)
{
    public string IndexPath => indexPath;

    /// <summary>Returns the memory of an mbox; null where the mbox has an index beside it, or nothing is to be remembered.</summary>
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
        // Doubts are to be reported each time, so the stamp is left out, and the file is read completely again.
        await MboxIndex.SaveAsync(indexPath, found.Doubts.Count == 0 ? state : state with { Stamp = default }, cancellationToken);
        return state;
    }
}
