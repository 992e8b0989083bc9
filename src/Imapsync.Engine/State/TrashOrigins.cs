using System.Globalization;
using System.Text;
using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Engine.State;

/// <summary>
/// Where the messages in the trash folder of a backup came from, in a small piece beside the checkpoints: before and after each
/// move, which folder's messages have the UIDs from here on. For restoring only: what can't be read there is not known.
/// </summary>
internal sealed class TrashOrigins
{
    private const string Magic = "imapsync-removed 1";
    private const long MaxFileBytes = 64 << 20;

    private readonly List<(uint Validity, uint From, FolderPath? Origin)> lines = [];

    private TrashOrigins()
    {
    }

    /// <param name="trash">The trash folder as it stands.</param>
    /// <param name="origin">The source folder that what gets UIDs from now on came from; null: nobody knows.</param>
    public static async Task NoteAsync(IStateMedium state, FolderStatus trash, FolderPath? origin, CancellationToken cancellationToken)
    {
        if (trash.UidNext.IsNone || trash.UidValidity.IsNone)
            return;
        var known = await ReadAsync(state, cancellationToken);
        // UIDs of another validity are nobody's, and what begins here ends what was to begin here or later.
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
            return origins;
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

    /// <summary>The source folder that a message of the trash folder came from; null where that is not known.</summary>
    public FolderPath? Find(UidValidity validity, Uid uid) =>
        lines.LastOrDefault(l => l.Validity == validity.Value && l.From <= uid.Value).Origin;
}
