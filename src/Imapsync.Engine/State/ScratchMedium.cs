using System.IO.Compression;
using System.Runtime.CompilerServices;

namespace Imapsync.Engine.State;

/// <summary>
/// The state as another medium has it, and as it would be after what is written here, which that other one never sees. What is written is kept
/// compressed in memory: a look at a big mailbox may write a record for each of its messages. A run that rewrites a journal at the same time may make it
/// look damaged here, which costs what is shown its truth and nothing else.
/// </summary>
internal sealed class ScratchMedium(IStateMedium inner) : IStateMedium
{
    private readonly Lock turn = new();

    /// <summary>What was written; null for what was removed.</summary>
    private readonly Dictionary<StateName, Piece?> written = [];

    public string Display => inner.Display;

    public string Where(StateName name) => inner.Where(name);

    public Task<bool> ExistsAsync(CancellationToken cancellationToken) => inner.ExistsAsync(cancellationToken);

    public Task CheckAsync(CancellationToken cancellationToken) => inner.CheckAsync(cancellationToken);

    public Task MakeAsync(CancellationToken cancellationToken) => inner.CheckAsync(cancellationToken);

    /// <summary>Nobody else sees what is written here, so nobody has to be kept out.</summary>
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
            // Which piece it is only its place says; one that was written to here is shown as it is here.
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

    /// <summary>It stays where it is.</summary>
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
        // Only what was torn is cut off, and nothing is torn here: what stays is what the other medium has, or it is written anew.
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

    /// <summary>The beginning of what the other medium has, and what was added to it.</summary>
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
            if (kept is not null && offset < keptLength)
                return kept.ReadAsync(buffer[..(int)Math.Min(buffer.Length, keptLength - offset)], offset, cancellationToken);
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
