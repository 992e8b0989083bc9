using Imapsync.Imap.Connection;
using System.Text;

namespace Imapsync.Imap.Tests.Transcripts;

/// <summary>How the server's octets are delivered.</summary>
/// <param name="CutAt">How many octets are delivered before the connection ends.</param>
/// <param name="AtOnce">The most octets that one read returns.</param>
/// <param name="IsDamaged">
/// Whether the server's replies were changed, so that the client may send anything. The server then counts the client's lines instead of
/// comparing them. It closes the connection if both sides wait for each other.
/// </param>
internal sealed record Delivery(long CutAt = long.MaxValue, int AtOnce = int.MaxValue, bool IsDamaged = false);

/// <summary>The client's network stream to a server that follows a script, without a thread or socket.</summary>
internal sealed class ScriptedStream(IReadOnlyList<Turn> turns, Delivery delivery, bool isOpenEnded = false) : DuplexStream
{
    private static readonly TimeSpan RetryPolicy = TimeSpan.FromMilliseconds(20);

    private readonly Lock gate = new();
    private readonly MemoryStream said = new();
    private TaskCompletionSource change = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int turn;
    private int sentOfTurn;
    private long sent;
    private long heardInTurn;
    private bool isClosed;

    /// <summary>What the client sent other than the script expects; null as long as it follows the script.</summary>
    public string? Deviation { get; private set; }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            Task changed;
            lock (gate)
            {
                if (TryGive(buffer.Span, out var count))
                    return count;
                changed = change.Task;
            }

            if (!delivery.IsDamaged)
            {
                await changed.WaitAsync(cancellationToken);
                continue;
            }

            await Task.WhenAny(changed, Task.Delay(RetryPolicy, TimeProvider.System, cancellationToken));
            if (!changed.IsCompleted)
                return 0;
        }
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(isClosed, this);
            said.Write(buffer.Span);
            if (delivery.IsDamaged)
                heardInTurn += buffer.Span.Count((byte)'\n');
            else
                Compare();
            Signal();
        }

        return ValueTask.CompletedTask;
    }

    protected override void Dispose(bool disposing)
    {
        lock (gate)
        {
            isClosed = true;
            Signal();
        }

        base.Dispose(disposing);
    }

    /// <summary>
    /// Reads the server's next octets. Returns false if the client has to send first. <paramref name="count"/> is 0 once the server sends
    /// no more: at the script's end, at <see cref="Delivery.CutAt"/>, or after the client left the script.
    /// </summary>
    private bool TryGive(Span<byte> buffer, out int count)
    {
        count = 0;
        while (turn < turns.Count && IsHeard(turns[turn]) && sentOfTurn == turns[turn].Server.Length)
            NextTurn();
        if (isClosed || turn == turns.Count || sent >= delivery.CutAt || Deviation is not null)
            return true;
        if (!IsHeard(turns[turn]))
            return false;
        var rest = turns[turn].Server.AsSpan(sentOfTurn);
        count = (int)Math.Min(Math.Min(rest.Length, buffer.Length), Math.Min(delivery.AtOnce, delivery.CutAt - sent));
        rest[..count].CopyTo(buffer);
        sentOfTurn += count;
        sent += count;
        return true;
    }

    private bool IsHeard(Turn expected) =>
        delivery.IsDamaged ? heardInTurn >= expected.Client.AsSpan().Count((byte)'\n') : said.Length >= expected.Client.Length;

    private void NextTurn()
    {
        var heard = turns[turn].Client;
        turn++;
        sentOfTurn = 0;
        heardInTurn = Math.Max(0, heardInTurn - heard.AsSpan().Count((byte)'\n'));
        if (delivery.IsDamaged)
            return;
        var left = said.ToArray()[heard.Length..];
        said.SetLength(0);
        said.Write(left);
        Compare();
    }

    private void Compare()
    {
        var heard = said.GetBuffer().AsSpan(0, (int)said.Length);
        var expected = turn < turns.Count ? turns[turn].Client : [];
        var common = Math.Min(heard.Length, expected.Length);

        // Octets beyond this turn's expected ones may belong to the next turn, so only the common part is compared.
        if (!heard[..common].SequenceEqual(expected.AsSpan(0, common)) || (!isOpenEnded && turn >= turns.Count - 1 && heard.Length > common))
            Deviation ??= $"the client said\n{Encoding.Latin1.GetString(heard)}\nwhere the script has\n{Encoding.Latin1.GetString(expected)}";
    }

    private void Signal()
    {
        var waiting = change;
        change = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        waiting.TrySetResult();
    }
}
