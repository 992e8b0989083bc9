using Imapsync.Bench.Contenders;

namespace Imapsync.Bench.Cases;

/// <summary>A benchmark case. The contenders run alternately, so that other load on the machine affects all of them alike.</summary>
/// <param name="What">A one-line description for display.</param>
internal sealed record BenchCase(string Name, string What, Func<BenchLab, CaseResult, Task> RunAsync)
{
    public async Task<CaseResult> MeasureAsync(BenchOptions options)
    {
        var result = new CaseResult(Name);
        await using var lab = new BenchLab(options);
        await RunAsync(lab, result);
        return result;
    }

    /// <summary>Throws if the target does not hold the expected number of messages, because an incomplete copy is no result.</summary>
    public static void Require(IContender contender, Place target, long expected)
    {
        var found = target.CountMessages();
        if (found != expected)
            throw new InvalidOperationException($"{contender.Name} left {found} of {expected} messages");
    }
}
