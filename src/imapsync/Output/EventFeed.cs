using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;

namespace Imapsync.CommandLine.Output;

/// <summary>
/// Hands what happens in jobs on to those who show it: each has a queue and a task of its own, so that a terminal or a pipe that nobody
/// reads holds up neither the jobs nor another output. Of a folder's windows that wait only the sum is kept, up to the next other thing that
/// happens in the job; all else that may wait is in the report as well, so a queue takes little more memory than that.
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

        // Of each job, the windows that more may be added to.
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
                    // From here on it is being shown.
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
