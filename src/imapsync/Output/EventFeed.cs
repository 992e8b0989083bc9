using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;

namespace Imapsync.CommandLine.Output;

/// <summary>
/// Distributes the jobs' events to the outputs. Each output has its own queue and task, so an output that blocks delays nothing else.
/// Queued <see cref="MessagesCopied"/> events of a folder are merged, unless another kind of event of the job lies between them. All other
/// queued events are also in the report, so a queue needs little more memory than the report.
/// </summary>
/// <param name="outputs">The outputs; the first is the one that people read.</param>
internal sealed class EventFeed(IReadOnlyList<IProgressOutput> outputs, TimeProvider time) : IAsyncDisposable
{
    private readonly IReadOnlyList<Reader> readers = [.. outputs.Select(o => new Reader(o))];

    /// <summary>Queues an event. Never blocks.</summary>
    public void Show(JobEvent happened) => Add(new Item(happened, null, time.GetUtcNow()));

    /// <summary>Queues a message to the person at the terminal, after everything queued before.</summary>
    public void Say(string text) => Add(new Item(null, text, time.GetUtcNow()));

    /// <summary>Completes when everything queued has been shown. Nothing may be queued afterwards.</summary>
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

        // For each job and source folder, the queued MessagesCopied event into which the next such event is merged.
        private readonly Dictionary<string, Dictionary<FolderPath, StrongBox<Item>>> open = new(StringComparer.Ordinal);

        public Reader(IProgressOutput output)
        {
            this.output = output;
            reading = Task.Run(ReadAsync);
        }

        public void Add(Item item)
        {
            lock (gate)
            {
                var box = new StrongBox<Item>(item);
                if (item.Event is not MessagesCopied more)
                {
                    if (item.Event is null)
                        open.Clear();
                    else
                        open.Remove(item.Event.Job);
                }
                else if (!open.TryGetValue(more.Job, out var windows))
                {
                    open.Add(more.Job, new() { [more.Source] = box });
                }
                else if (windows.TryGetValue(more.Source, out var earlier) && earlier.Value.Event is MessagesCopied before)
                {
                    earlier.Value = item with { Event = more with { Count = before.Count + more.Count, Bytes = before.Bytes + more.Bytes } };
                    return;
                }
                else
                {
                    windows[more.Source] = box;
                }

                waiting.Writer.TryWrite(box);
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
                    // The event is about to be shown, so nothing may be merged into it any more.
                    if (box.Value.Event is MessagesCopied shown && open.TryGetValue(shown.Job, out var windows) && windows.GetValueOrDefault(shown.Source) == box)
                        windows.Remove(shown.Source);
                }

                if (box.Value.Event is { } happened)
                    output.Show(happened, box.Value.At);
                else
                    output.Say(box.Value.Word!);
            }
        }
    }
}
