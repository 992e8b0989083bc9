using System.Globalization;
using System.Text;
using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Engine.State;

/// <summary>
/// Records from which source folders the messages in a backup's trash folder were removed, in a small piece beside the checkpoints. Before
/// each move to the trash folder, it records the source folder for all UIDs from the trash folder's current UIDNEXT on; after the move, it
/// records "unknown" in the same way, since later UIDs are other mail. Only restores use it. A piece written by a later version of this
/// program is left as it is; the origins are then unknown.
/// </summary>
internal sealed class TrashOrigins
{
    private const string Magic = "imapsync-removed 1";
    private const long MaxFileBytes = 64 << 20;

    private readonly List<(uint Validity, uint From, FolderPath? Origin)> lines = [];

    private bool isForeign;

    private TrashOrigins()
    {
    }

    /// <param name="trash">The trash folder's current status.</param>
    /// <param name="origin">The source folder of the messages that get UIDs from now on; null if unknown.</param>
    public static async Task NoteAsync(IStateMedium state, FolderStatus trash, FolderPath? origin, CancellationToken cancellationToken)
    {
        if (trash.UidNext.IsNone || trash.UidValidity.IsNone)
            return;
        var known = await ReadAsync(state, cancellationToken);
        if (known.isForeign)
            return;
        // Entries of another UIDVALIDITY are obsolete, and the new entry replaces those that begin at the same UID or a higher one.
        var ended = known.lines.RemoveAll(l => l.Validity != trash.UidValidity.Value || l.From >= trash.UidNext.Value);
        var isOther = !Equals(known.lines.LastOrDefault().Origin, origin);
        if (isOther)
            known.lines.Add((trash.UidValidity.Value, trash.UidNext.Value, origin));
        else if (ended == 0)
            return;
        var text = new StringBuilder(Magic).Append('\n');
        foreach (var (validity, from, path) in known.lines)
            text.Append(CultureInfo.InvariantCulture, $"{validity} {from} {FieldEscaping.Escape(path?.ToString())}\n");
        await state.ReplaceAsync(StateName.TrashOrigins, Encoding.UTF8.GetBytes(text.ToString()), cancellationToken);
    }

    public static async Task<TrashOrigins> ReadAsync(IStateMedium state, CancellationToken cancellationToken)
    {
        var origins = new TrashOrigins();
        if (await state.ReadAllAsync(StateName.TrashOrigins, MaxFileBytes, cancellationToken) is not { } octets)
            return origins;
        var text = Encoding.UTF8.GetString(octets).Split('\n');
        if (text[0] != Magic)
        {
            origins.isForeign = text[0].StartsWith(Magic[..Magic.IndexOf(' ', StringComparison.Ordinal)], StringComparison.Ordinal);
            return origins;
        }

        foreach (var line in text.Skip(1))
        {
            if (line.Split(' ') is [var validity, var from, var folder]
                && uint.TryParse(validity, NumberStyles.None, CultureInfo.InvariantCulture, out var v)
                && uint.TryParse(from, NumberStyles.None, CultureInfo.InvariantCulture, out var f)
                && FieldEscaping.TryUnescape(Encoding.UTF8.GetBytes(folder), out var name))
                origins.lines.Add((v, f, name is not null && FolderPath.TryParse(name, out var origin) ? origin : null));
        }

        return origins;
    }

    /// <summary>Returns the source folder that a message in the trash folder came from; null if unknown.</summary>
    public FolderPath? Find(UidValidity validity, Uid uid) =>
        lines.LastOrDefault(l => l.Validity == validity.Value && l.From <= uid.Value).Origin;
}
