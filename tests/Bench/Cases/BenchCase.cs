using Imapsync.Bench.Contenders;

namespace Imapsync.Bench.Cases;

/// <summary>One thing that is measured. All contenders do it in turns, so that what else the machine does hits all alike.</summary>
/// <param name="What">For people, one line.</param>
internal sealed record BenchCase(string Name, string What, Func<BenchLab, CaseResult, Task> RunAsync)
{
    public async Task<CaseResult> MeasureAsync(BenchOptions options)
    {
        var result = new CaseResult(Name);
        await using var lab = new BenchLab(options);
        await RunAsync(lab, result);
        return result;
    }

    /// <summary>A copy that is not whole is no result.</summary>
    public static void Require(IContender contender, Place target, long expected)
    {
        var found = target.CountMessages();
        if (found != expected)
            throw new InvalidOperationException($"{contender.Name} left {found} of {expected} messages");
    }
}
