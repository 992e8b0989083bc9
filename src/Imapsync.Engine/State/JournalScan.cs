using System.Buffers;
using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.State;

/// <summary>How much of a journal is committed.</summary>
/// <param name="CommittedBytes">The length in octets up to the last commit; anything after it was never promised to be durable.</param>
/// <param name="Crc">The CRC of the last committed line, from which the next line continues.</param>
/// <param name="Version">The file's format version.</param>
/// <param name="Length">The file's whole length in octets.</param>
internal readonly record struct CommittedExtent(long CommittedBytes, uint Crc, ulong Version, long Length);

/// <summary>
/// Reads a journal's lines and distinguishes a torn end from damage. A torn end, as a crash leaves it, is ignored. Damage is a complete
/// line that is wrong, or an incomplete line that this program could not have begun to write. If the file system loses the end of a
/// journal, that looks just like a torn end; only in that case can a commit that had returned be lost. See docs/checkpoints.md.
/// </summary>
internal static class JournalScan
{
    private const int ChunkBytes = 64 * 1024;

    /// <summary>How many octets are read to find the first two lines, which are far shorter even with long folder names.</summary>
    private const int HeaderBytes = 256 * 1024;

    private delegate void LineVisitor(ReadOnlySpan<byte> line);

    /// <exception cref="StateDamagedException">The journal is damaged.</exception>
    /// <exception cref="CheckpointVersionException">The journal was written by a newer version.</exception>
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

    /// <summary>Builds the state from the committed part of a checked journal.</summary>
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

    /// <summary>Reads from the first two lines which folder pair a journal belongs to; null if these lines are damaged.</summary>
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
    /// Returns true if the tail is the beginning of a line, possibly followed by the zeros that some file systems show for blocks that were not written.
    /// A tail that starts like a commit must match the commit that is due here, since all octets of a commit are predictable.
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

    /// <summary>
    /// Passes each complete line in the first <paramref name="length"/> octets to the visitor, without its line end. Returns the octets after
    /// the last complete line.
    /// </summary>
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

    /// <summary>Visits the complete lines in the buffer and moves the remaining octets to its front. Returns how many remain.</summary>
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
