using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Imapsync.Engine.Progress;

namespace Imapsync.CommandLine.Output;

/// <summary>
/// Hands what happens in jobs on to those who show it: each has a queue and a task of its own, so that a terminal or a pipe that nobody
/// reads holds up neither the jobs nor another output. Of a folder's windows that wait one behind the other only the sum is kept; all else
/// that may wait is in the report as well, so a queue takes no more memory than that.
/// </summary>
/// <param name="outputs">The one that people look at first.</param>
internal sealed class EventFeed(IReadOnlyList<IProgressOutput> outputs, TimeProvider time) : IAsyncDisposable
{
    private readonly IReadOnlyList<Reader> readers = [.. outputs.Select(o => new Reader(o))];

    /// <summary>Never waits.</summary>
    public void Show(JobEvent happened) => Add(new Item(happened, null, time.GetUtcNow()));

    /// <summary>A word to the person at the terminal, behind what was told before.</summary>
    public void Say(string text) => Add(new Item(null, text, time.GetUtcNow()));

    /// <summary>Done once all that was told is shown; nothing may be told afterwards.</summary>
    public Task CompleteAsync() => Task.WhenAll(readers.Select(r => r.CompleteAsync()));

    /// <inheritdoc cref="IProgressOutput.HasJustTold"/>
    public bool HasJustTold(string text, int linesSince) => outputs[0].HasJustTold(text, linesSince);

    public async ValueTask DisposeAsync()
    {
        foreach (var output in outputs)
            await output.DisposeAsync();
    }

    private void Add(Item item)
    {
        foreach (var reader in readers)
            reader.Add(item);
    }

    private readonly record struct Item(JobEvent? Event, string? Word, DateTimeOffset At);

    private sealed class Reader
    {
        private readonly Lock gate = new();
        private readonly Channel<StrongBox<Item>> waiting = Channel.CreateUnbounded<StrongBox<Item>>(new UnboundedChannelOptions { SingleReader = true });
        private readonly IProgressOutput output;
        private readonly Task reading;
        private StrongBox<Item>? last;

        public Reader(IProgressOutput output)
        {
            this.output = output;
            reading = Task.Run(ReadAsync);
        }

        public void Add(Item item)
        {
            lock (gate)
            {
                if (item.Event is MessagesCopied more && last?.Value.Event is MessagesCopied before && (before.Job, before.Source) == (more.Job, more.Source))
                    last.Value = item with { Event = more with { Count = before.Count + more.Count, Bytes = before.Bytes + more.Bytes } };
                else
                    waiting.Writer.TryWrite(last = new StrongBox<Item>(item));
            }
        }

        public Task CompleteAsync()
        {
            waiting.Writer.TryComplete();
            return reading;
        }

        private async Task ReadAsync()
        {
            await foreach (var box in waiting.Reader.ReadAllAsync())
            {
                lock (gate)
                {
                    if (ReferenceEquals(box, last))
                        last = null;
                }

                if (box.Value.Event is { } happened)
                    output.Show(happened, box.Value.At);
                else
                    output.Say(box.Value.Word!);
            }
        }
    }
}
