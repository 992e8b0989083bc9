using System.IO.Compression;
using System.Runtime.CompilerServices;

namespace Imapsync.Engine.State;

/// <summary>
/// A view of another medium's state. Changes to it exist only in memory and never reach that medium. They are kept compressed, because a dry run over
/// a big mailbox may write a record for each message. If another run rewrites a journal at the same time, the journal may look damaged in this view;
/// then only the displayed result is wrong.
/// </summary>
internal sealed class ScratchMedium(IStateMedium inner) : IStateMedium
{
    private readonly Lock turn = new();

    /// <summary>The pieces that were written; null for a removed piece.</summary>
    private readonly Dictionary<StateName, Piece?> written = [];

    public string Display => inner.Display;

    public string Where(StateName name) => inner.Where(name);

    public Task<bool> ExistsAsync(CancellationToken cancellationToken) => inner.ExistsAsync(cancellationToken);

    public Task CheckAsync(CancellationToken cancellationToken) => inner.CheckAsync(cancellationToken);

    public Task MakeAsync(CancellationToken cancellationToken) => inner.CheckAsync(cancellationToken);

    /// <summary>
    /// Checks the other medium without taking a lock. Other runs need not be kept out, since nobody else sees the changes made in this
    /// view.
    /// </summary>
    public Task HoldAsync(CancellationToken cancellationToken) => inner.CheckAsync(cancellationToken);

    public async Task<bool> HasAsync(StateName name, CancellationToken cancellationToken) =>
        TryGet(name, out var piece) ? piece is not null : await inner.HasAsync(name, cancellationToken);

    public async Task<IStateContent?> OpenAsync(StateName name, CancellationToken cancellationToken, bool willWrite = false)
    {
        if (!TryGet(name, out var piece))
            return await inner.OpenAsync(name, cancellationToken);
        if (piece is null)
            return null;
        var kept = piece.KeptLength == 0 ? null : await inner.OpenAsync(name, cancellationToken);
        return new Content(inner.Where(name), kept, piece.KeptLength, piece.Unpack());
    }

    public async IAsyncEnumerable<IStateContent> OpenJournalsAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        List<StateName> names;
        lock (turn)
            names = [.. written.Keys.Where(n => n.Pair is not null)];
        await foreach (var content in inner.OpenJournalsAsync(cancellationToken))
        {
            // A journal is identified by its location. Journals that were changed here are skipped now and returned in their changed form below.
            if (names.Exists(n => inner.Where(n) == content.Display))
                content.Dispose();
            else
                yield return content;
        }

        foreach (var name in names)
        {
            if (await OpenAsync(name, cancellationToken) is { } content)
                yield return content;
        }
    }

    public async Task ReplaceAsync(StateName name, Func<Stream, CancellationToken, Task> write, CancellationToken cancellationToken)
    {
        using var content = new MemoryStream();
        await write(content, cancellationToken);
        var piece = new Piece(0);
        piece.Add(content.GetBuffer().AsSpan(0, (int)content.Length));
        Set(name, piece);
    }

    public Task MarkAsync(StateName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) => this.ReplaceAsync(name, content, cancellationToken);

    public Task RemoveAsync(StateName name, CancellationToken cancellationToken)
    {
        Set(name, null);
        return Task.CompletedTask;
    }

    /// <summary>Hides the damaged journal in this view; in the other medium it stays where it is.</summary>
    public Task<string?> SetAsideAsync(StateName name, CancellationToken cancellationToken)
    {
        Set(name, null);
        return Task.FromResult<string?>(null);
    }

    public IStateLog Continue(StateName name, long length)
    {
        if (!TryGet(name, out var piece) || piece is null)
            return new Log(this, name, new Piece(length));
        if (piece.Length == length)
            return new Log(this, name, piece);
        // The new piece again begins with octets of the other medium, at most as many as before. Octets that were added in this view
        // follow; those within the given length are added again.
        var anew = new Piece(Math.Min(length, piece.KeptLength));
        anew.Add(piece.Unpack().AsSpan(0, (int)(length - anew.KeptLength)));
        return new Log(this, name, anew);
    }

    public IDisposable? TryTakeTurn() => inner.TryTakeTurn();

    public string? LocalDirectory(string use) => inner.LocalDirectory(use);

    public ValueTask DisposeAsync() => inner.DisposeAsync();

    private bool TryGet(StateName name, out Piece? piece)
    {
        lock (turn)
            return written.TryGetValue(name, out piece);
    }

    private void Set(StateName name, Piece? piece)
    {
        lock (turn)
            written[name] = piece;
    }

    /// <summary>A piece that consists of the beginning of the other medium's content and the octets added here.</summary>
    private sealed class Piece(long keptLength)
    {
        private readonly List<byte[]> packed = [];

        private long addedLength;

        public long KeptLength => keptLength;

        public long Length => keptLength + addedLength;

        public void Add(ReadOnlySpan<byte> octets)
        {
            using var target = new MemoryStream();
            using (var packer = new BrotliStream(target, CompressionLevel.Fastest, leaveOpen: true))
                packer.Write(octets);
            packed.Add(target.ToArray());
            addedLength += octets.Length;
        }

        public byte[] Unpack()
        {
            var octets = new byte[addedLength];
            var held = 0;
            foreach (var batch in packed)
            {
                using var unpacker = new BrotliStream(new MemoryStream(batch), CompressionMode.Decompress);
                int read;
                while ((read = unpacker.Read(octets.AsSpan(held))) > 0)
                    held += read;
            }

            return octets;
        }
    }

    private sealed class Content(string display, IStateContent? kept, long keptLength, byte[] added) : IStateContent
    {
        public string Display => display;

        public long Length => keptLength + added.Length;

        public ValueTask<int> ReadAsync(Memory<byte> buffer, long offset, CancellationToken cancellationToken)
        {
            if (offset < keptLength)
            {
                // Another run may have removed the piece meanwhile. The piece then looks truncated, which is reported as damage.
                return kept is null ? ValueTask.FromResult(0) : kept.ReadAsync(buffer[..(int)Math.Min(buffer.Length, keptLength - offset)], offset, cancellationToken);
            }

            var rest = added.AsMemory((int)Math.Min(offset - keptLength, added.Length));
            rest = rest[..Math.Min(rest.Length, buffer.Length)];
            rest.CopyTo(buffer);
            return ValueTask.FromResult(rest.Length);
        }

        public void Dispose() => kept?.Dispose();
    }

    private sealed class Log(ScratchMedium medium, StateName name, Piece piece) : IStateLog
    {
        public Task AppendAsync(ReadOnlyMemory<byte> batch)
        {
            piece.Add(batch.Span);
            medium.Set(name, piece);
            return Task.CompletedTask;
        }

        public void Dispose()
        {
        }
    }
}
