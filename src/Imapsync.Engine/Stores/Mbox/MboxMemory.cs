using System.Security.Cryptography;
using System.Text;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Local;

namespace Imapsync.Engine.Stores.Mbox;

/// <summary>
/// The index of an mbox that must not be written beside: kept with the job, so that somebody else's mbox has lasting UIDs as a source, and
/// what is deleted there, or gets other flags, can be followed. Its name has the file's place in it: another file is met anew.
/// </summary>
internal sealed class MboxMemory(string indexPath, bool isReadOnly)
{
    public string IndexPath => indexPath;

    /// <summary>Null where the mbox has an index beside it, or nothing is to be remembered.</summary>
    public static MboxMemory? Of(string file, StoreContext context)
    {
        if (context.MemoryDirectory is not { } directory || File.Exists(file + FileNames.IndexSuffix))
            return null;
        var name = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(file)))[..32];
        return new MboxMemory(Path.Combine(directory, name + FileNames.IndexSuffix), context.MemoryIsReadOnly);
    }

    /// <summary>Remembers what was found, durably, before any of its UIDs is used.</summary>
    public async Task<MboxState> KeepAsync(MboxFindings found, CancellationToken cancellationToken)
    {
        if (isReadOnly || (found.IsIndexed && !found.Index.IsTorn))
            return found.State;
        var validity = found.Index.Condition == IndexCondition.Good ? found.Index.Validity : MboxFile.NewValidity(found.Index.Validity);
        var state = found.State with { Validity = validity, LastingValidity = validity };
        LocalFiles.CreateDirectory(Path.GetDirectoryName(indexPath)!);
        // What is doubtful is to be told each time: without its stamp the file is read through again.
        await MboxIndex.SaveAsync(indexPath, found.Doubts.Count == 0 ? state : state with { Stamp = default }, cancellationToken);
        return state;
    }
}
