using Imapsync.Engine.State;

namespace Imapsync.Engine.Tests.State;

/// <summary>Wraps another medium. Calls the action before and after each write operation, and before each read operation.</summary>
internal sealed class SteppedMedium(IStateMedium inner, Action step) : IStateMedium
{
    public string Display => inner.Display;

    public string Where(StateName name) => inner.Where(name);

    public Task<bool> ExistsAsync(CancellationToken cancellationToken) => inner.ExistsAsync(cancellationToken);

    public Task CheckAsync(CancellationToken cancellationToken) => inner.CheckAsync(cancellationToken);

    public Task MakeAsync(CancellationToken cancellationToken) => StepAsync(() => inner.MakeAsync(cancellationToken));

    public Task HoldAsync(CancellationToken cancellationToken) => StepAsync(() => inner.HoldAsync(cancellationToken));

    public Task<bool> HasAsync(StateName name, CancellationToken cancellationToken) => inner.HasAsync(name, cancellationToken);

    public Task<IStateContent?> OpenAsync(StateName name, CancellationToken cancellationToken, bool willWrite = false)
    {
        step();
        return inner.OpenAsync(name, cancellationToken, willWrite);
    }

    public IAsyncEnumerable<IStateContent> OpenJournalsAsync(CancellationToken cancellationToken) => inner.OpenJournalsAsync(cancellationToken);

    public Task ReplaceAsync(StateName name, Func<Stream, CancellationToken, Task> write, CancellationToken cancellationToken) =>
        StepAsync(() => inner.ReplaceAsync(name, write, cancellationToken));

    public Task MarkAsync(StateName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        StepAsync(() => inner.MarkAsync(name, content, cancellationToken));

    public Task RemoveAsync(StateName name, CancellationToken cancellationToken) => StepAsync(() => inner.RemoveAsync(name, cancellationToken));

    public Task<string?> SetAsideAsync(StateName name, CancellationToken cancellationToken) => inner.SetAsideAsync(name, cancellationToken);

    public IStateLog Continue(StateName name, long length)
    {
        step();
        return new Log(inner.Continue(name, length), this);
    }

    public IDisposable? TryTakeTurn() => inner.TryTakeTurn();

    public string? LocalDirectory(string use) => inner.LocalDirectory(use);

    public ValueTask DisposeAsync() => inner.DisposeAsync();

    private async Task StepAsync(Func<Task> work)
    {
        step();
        await work();
        step();
    }

    private sealed class Log(IStateLog inner, SteppedMedium medium) : IStateLog
    {
        public Task AppendAsync(ReadOnlyMemory<byte> batch) => medium.StepAsync(() => inner.AppendAsync(batch));

        public void Dispose() => inner.Dispose();
    }
}
