using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Local;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Mbox;

/// <summary>An mbox and its index, for a writer: it reads both and repairs them, under the lock.</summary>
internal sealed class MboxFile(string path, FolderPath name, StoreContext context)
{
    public string Path => path;

    public string IndexPath => path + FileNames.IndexSuffix;

    public Task<MboxLock> LockAsync(CancellationToken cancellationToken) => MboxLock.AcquireAsync(path, context.Time, cancellationToken);

    /// <summary>Reports which variant of mbox the file is, once, if the variant is unusual.</summary>
    public void NoteVariants(MboxFindings found)
    {
        var told = new List<string>();
        void Tell(MboxVariants variant, string text)
        {
            if (found.Variants.HasFlag(variant))
                told.Add(text);
        }

        Tell(MboxVariants.Mboxo, "mboxo (lines beginning with \"From \" are not all quoted)");
        Tell(MboxVariants.Mboxcl, "mboxcl (Content-Length, quoted)");
        Tell(MboxVariants.Mboxcl2, "mboxcl2 (Content-Length, not quoted)");
        Tell(MboxVariants.CrLf, "CRLF line ends");
        Tell(MboxVariants.NoLastEmptyLine, "no empty line at the end");
        Tell(MboxVariants.PseudoMessage, "a pseudo message with folder data, which is left out");
        Tell(MboxVariants.DatelessPostmarks, "postmarks without a date");
        Tell(MboxVariants.LeadingText, "text before the first message, which is left out");
        if (found.Expunged > 0)
            told.Add($"messages that Thunderbird has deleted and not yet compacted away, which are left out: {found.Expunged}");
        if (told.Count > 0)
            context.OnNote($"{name}: {path} is an mbox with {string.Join(", ", told)}");
    }

    /// <summary>
    /// Makes the mbox and its index agree. (1) Removes messages that this program left torn when it was interrupted. (2) Adds messages that
    /// other programs delivered to the index. (3) Writes a new index if the existing one is missing, damaged or outdated. Only torn
    /// messages of this program are ever removed from the mbox.
    /// </summary>
    public async Task<MboxState> SettleAsync(MboxLock held, CancellationToken cancellationToken)
    {
        File.Delete(path + FileNames.NewSuffix);
        File.Delete(IndexPath + FileNames.NewSuffix);
        var mbox = held.Mbox.SafeFileHandle;
        var found = await MboxFindings.ReadAsync(path, mbox, cancellationToken);
        if (found.IsIndexed)
            return found.Index.IsTorn ? await SaveAsync(found, found.State, cancellationToken) : found.State;
        NoteVariants(found);
        if (found.Index.Condition == IndexCondition.Damaged)
            context.OnNote($"{name}: the index of {path} was damaged; it is made anew from the mbox, with new UIDs");
        if (found.Torn.Count == 0)
            return await SaveAsync(found, found.State, cancellationToken);
        context.OnNote($"{name}: an interrupted message at the end of {path} was cut off");
        return await CutAsync(found, held, cancellationToken);
    }

    private async Task<MboxState> CutAsync(MboxFindings found, MboxLock held, CancellationToken cancellationToken)
    {
        var mbox = held.Mbox.SafeFileHandle;
        var (offset, length) = found.Torn[0];
        if (found.Torn.Count == 1 && offset + length == RandomAccess.GetLength(mbox))
        {
            RandomAccess.SetLength(mbox, offset);
            RandomAccess.FlushToDisk(mbox);
            return await SaveAsync(found, found.State with { Stamp = MboxStamp.Of(mbox) }, cancellationToken);
        }

        // Other programs' mail follows the torn message, so everything to be kept is copied to a new file.
        var temporary = path + FileNames.NewSuffix;
        var state = await LocalFiles.WriteBesideAsync(temporary, async target =>
        {
            await CopyWithoutAsync(mbox, target, found.Torn, cancellationToken);
            KeepMode(temporary);
            var again = await MboxFindings.ScanAsync(found.Index.WithoutWindow(), target, MboxStamp.Of(target), cancellationToken);
            // The new index is written before the file is replaced. After a crash in between, the next run reads the old file with the new
            // index. That run keeps the torn message as another program's mail.
            return await SaveAsync(found, again.State, cancellationToken);
        });

        await held.ReplaceAsync(temporary);
        return state;
    }

    public void KeepMode(string temporary)
    {
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(temporary, File.GetUnixFileMode(path));
    }

    private static async Task CopyWithoutAsync(
        Microsoft.Win32.SafeHandles.SafeFileHandle mbox, Microsoft.Win32.SafeHandles.SafeFileHandle target,
        IReadOnlyList<(long Offset, long Length)> torn, CancellationToken cancellationToken)
    {
        using var input = new MboxInput(mbox);
        long written = 0, position = 0, length = input.Length;
        foreach (var (offset, skipped) in torn.Append((Offset: length, Length: 0L)))
        {
            while (position < offset)
            {
                var octets = await input.GetAsync(position, 1, cancellationToken);
                octets = octets[..(int)Math.Min(octets.Length, offset - position)];
                await RandomAccess.WriteAsync(target, octets, written, cancellationToken);
                (position, written) = (position + octets.Length, written + octets.Length);
            }

            position = offset + skipped;
        }

        RandomAccess.FlushToDisk(target);
    }

    private async Task<MboxState> SaveAsync(MboxFindings found, MboxState state, CancellationToken cancellationToken)
    {
        var validity = found.Index.Condition == IndexCondition.Good ? found.Index.Validity : NewValidity(found.Index.Validity);
        state = state with { Validity = validity };
        await MboxIndex.SaveAsync(IndexPath, state, cancellationToken);
        return state;
    }

    /// <summary>
    /// Returns a random new UIDVALIDITY. One made from the time would occur twice if the index is lost twice within a second. Then old UIDs
    /// would seem valid.
    /// </summary>
    public static UidValidity NewValidity(UidValidity before)
    {
        var value = (uint)System.Security.Cryptography.RandomNumberGenerator.GetInt32(1, int.MaxValue);
        return new UidValidity(value == before.Value ? value + 1 : value);
    }
}
