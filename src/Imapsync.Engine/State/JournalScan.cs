using System.Buffers;
using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.State;

/// <summary>How far a journal can be trusted.</summary>
/// <param name="CommittedBytes">Through the last commit; what follows was never promised.</param>
/// <param name="Crc">Of the line at that place, for the next one to go on from.</param>
/// <param name="Version">Of the file's format.</param>
/// <param name="Length">Of all there is.</param>
internal readonly record struct CommittedExtent(long CommittedBytes, uint Crc, ulong Version, long Length);

/// <summary>
/// Reads a journal's lines. Tells a torn tail (the file just ends: what a crash leaves, and all a lost end can look like)
/// from damage (a complete line that is wrong, or an end no writer could have begun): a commit that returned
/// may have been lost only where the file says so by ending early, see docs/checkpoints.md.
/// </summary>
internal static class JournalScan
{
    private const int ChunkBytes = 64 * 1024;

    /// <summary>The first two lines are far shorter, however long the folders' names are.</summary>
    private const int HeaderBytes = 256 * 1024;

    private delegate void LineVisitor(ReadOnlySpan<byte> line);

    /// <exception cref="StateDamagedException">It can't be trusted.</exception>
    /// <exception cref="CheckpointVersionException">It is of a newer version.</exception>
    public static async Task<CommittedExtent> CheckAsync(IStateContent file, PairKey pair, CancellationToken cancellationToken)
    {
        long lines = 0, position = 0;
        uint crc = 0;
        ulong version = 0;
        var committed = default(CommittedExtent);
        var tail = await VisitAsync(file, long.MaxValue, line =>
        {
            lines++;
            if (!RecordWriter.TrySplit(line, out var fields, out var written))
                throw new StateDamagedException($"line {lines} is no record");
            crc = Crc32C.Append(crc, fields);
            if (crc != written)
                throw new StateDamagedException($"line {lines} has a wrong check sum");
            position += line.Length + 1;
            if (lines == 1)
                version = ReadVersion(fields, file.Display);
            else if (lines == 2)
                CheckPair(fields, pair);
            else if (fields.SequenceEqual(JournalRecords.Commit))
                committed = new CommittedExtent(position, crc, version, position);
        }, cancellationToken);
        if (committed.CommittedBytes == 0)
            throw new StateDamagedException("it ends before the first commit");
        if (!IsTorn(tail, crc))
            throw new StateDamagedException("it ends in octets that were never written to it");
        return committed with { Length = position + tail.Length };
    }

    /// <summary>Builds the state from the committed part of a journal that was checked.</summary>
    public static async Task<CheckpointState> ReplayAsync(IStateContent file, CommittedExtent extent, CancellationToken cancellationToken)
    {
        var state = new CheckpointState();
        var lines = 0L;
        await VisitAsync(file, extent.CommittedBytes, line =>
        {
            if (++lines <= 2)
                return;
            RecordWriter.TrySplit(line, out var fields, out _);
            try
            {
                JournalRecords.Apply(state, fields);
            }
            catch (StateDamagedException e)
            {
                throw new StateDamagedException($"line {lines}: {e.Message}");
            }
        }, cancellationToken);
        return state.HasBegun ? state : throw new StateDamagedException("it does not begin with a reset");
    }

    /// <summary>Which pair a journal says it is of; null where its first two lines do not say so.</summary>
    public static async Task<PairKey?> ReadPairAsync(IStateContent file, CancellationToken cancellationToken)
    {
        PairKey? pair = null;
        long lines = 0;
        uint crc = 0;
        try
        {
            await VisitAsync(file, HeaderBytes, line =>
            {
                if (++lines > 2 || !RecordWriter.TrySplit(line, out var record, out var written))
                    return;
                crc = Crc32C.Append(crc, record);
                if (crc != written)
                    return;
                if (lines == 1)
                    ReadVersion(record, file.Display);
                else if (FolderPath.TryParse(ReadPair(record).Source, out var source) && FolderPath.TryParse(ReadPair(record).Target, out var target))
                    pair = new PairKey(source, target);
            }, cancellationToken);
        }
        catch (StateDamagedException)
        {
            return null;
        }

        return pair;
    }

    private static ulong ReadVersion(ReadOnlySpan<byte> record, string path)
    {
        var fields = new RecordFields(record);
        if (!fields.Next().SequenceEqual(JournalRecords.Magic))
            throw new StateDamagedException("it is no journal");
        var version = fields.Number();
        StateVersion.Check(path, version, JournalRecords.Version);
        return version;
    }

    private static void CheckPair(ReadOnlySpan<byte> record, PairKey pair)
    {
        var (source, target) = ReadPair(record);
        if (source != pair.Source.ToString() || target != pair.Target.ToString())
            throw new StateDamagedException($"it belongs to {source} → {target}");
    }

    private static (string Source, string Target) ReadPair(ReadOnlySpan<byte> record)
    {
        var fields = new RecordFields(record);
        if (!fields.Next().SequenceEqual("pair"u8))
            throw new StateDamagedException("it names no pair");
        var pair = (fields.RequiredText(), fields.RequiredText());
        fields.End();
        return pair;
    }

    /// <summary>
    /// True for the beginning of a line, with the zeros a file system may show for a block it never wrote.
    /// The one line whose every octet is known before it is read is the commit: it has to be the beginning of that.
    /// </summary>
    private static bool IsTorn(ReadOnlySpan<byte> tail, uint crc)
    {
        var begun = tail.TrimEnd((byte)0);
        if (begun.IndexOfAnyInRange((byte)0, (byte)0x1f) >= 0)
            return false;
        if (!begun.StartsWith(JournalRecords.Commit))
            return true;
        Span<byte> commit = stackalloc byte[32];
        JournalRecords.Commit.CopyTo(commit);
        RecordWriter.FormatCrc(Crc32C.Append(crc, JournalRecords.Commit), commit[JournalRecords.Commit.Length..]);
        commit = commit[..(JournalRecords.Commit.Length + 9)];
        return commit.StartsWith(begun) && (begun.Length < commit.Length || tail.Length == begun.Length);
    }

    /// <summary>Shows every complete line among the first octets, without its line end. Returns what follows the last one.</summary>
    private static async Task<byte[]> VisitAsync(IStateContent file, long length, LineVisitor visit, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(ChunkBytes);
        try
        {
            var held = 0;
            for (var offset = 0L; ;)
            {
                var room = (int)Math.Min(buffer.Length - held, length - offset);
                var read = room == 0 ? 0 : await file.ReadAsync(buffer.AsMemory(held, room), offset, cancellationToken);
                if (read == 0)
                    return buffer[..held];
                offset += read;
                held = Visit(buffer, held, read, visit);
                if (held == buffer.Length)
                    buffer = Grow(buffer);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Shows the complete lines and moves what is left to the front. Returns how much that is.</summary>
    private static int Visit(byte[] buffer, int held, int read, LineVisitor visit)
    {
        var filled = held + read;
        var start = 0;
        for (var searched = held; ;)
        {
            var end = buffer.AsSpan(searched, filled - searched).IndexOf((byte)'\n');
            if (end < 0)
                break;
            visit(buffer.AsSpan(start, searched + end - start));
            start = searched = searched + end + 1;
        }

        buffer.AsSpan(start, filled - start).CopyTo(buffer);
        return filled - start;
    }

    private static byte[] Grow(byte[] buffer)
    {
        if (buffer.Length > RecordWriter.MaxLineBytes)
            throw new StateDamagedException("a line is too long");
        var grown = ArrayPool<byte>.Shared.Rent(buffer.Length * 2);
        buffer.CopyTo(grown, 0);
        ArrayPool<byte>.Shared.Return(buffer);
        return grown;
    }
}
