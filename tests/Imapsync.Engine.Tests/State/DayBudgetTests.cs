using Imapsync.Engine.State;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.State;

public sealed class DayBudgetTests : IDisposable
{
    // The manual clock starts at 2024-07-17 02:44.
    private readonly ManualClock clock = new();
    private readonly TempDir dir = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string Path => dir["budget-source"];

    public void Dispose() => dir.Dispose();

    [Fact]
    public async Task An_hours_octets_are_given_back_at_the_same_hour_of_the_next_day()
    {
        await using var budget = await ReadAsync();
        await budget.SpendAsync(600, Token);
        clock.Advance(TimeSpan.FromHours(2));
        await budget.SpendAsync(400, Token);
        Assert.True(budget.IsSpent);
        Assert.Equal(new DateTimeOffset(2024, 7, 18, 2, 0, 0, TimeSpan.Zero), budget.AvailableAgainAt);
        clock.Advance(new DateTimeOffset(2024, 7, 18, 1, 59, 59, TimeSpan.Zero) - clock.GetUtcNow());
        Assert.True(budget.IsSpent);
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.False(budget.IsSpent);
        await budget.SpendAsync(600, Token);
        Assert.Equal(new DateTimeOffset(2024, 7, 18, 4, 0, 0, TimeSpan.Zero), budget.AvailableAgainAt);
    }

    [Fact]
    public async Task What_was_spent_is_known_to_the_next_run_even_after_a_crash()
    {
        var lost = await ReadAsync();
        await lost.SpendAsync(999, Token);
        // The first budget object is still open, as if its process had crashed without closing the file.
        await using var next = await ReadAsync();
        Assert.False(next.IsSpent);
        await next.SpendAsync(1, Token);
        Assert.True(next.IsSpent);
        Assert.Equal("imapsync-budget 1\n2024-07-17T02 999\n", await File.ReadAllTextAsync(Path, Token));
        await lost.DisposeAsync();
    }

    [Fact]
    public async Task What_was_spent_in_a_future_that_the_clock_came_back_from_counts_from_now_on()
    {
        await File.WriteAllTextAsync(Path, "imapsync-budget 1\n2041-01-01T00 1000\n", Token);
        await using var budget = await ReadAsync();
        Assert.True(budget.IsSpent);
        Assert.Equal(new DateTimeOffset(2024, 7, 18, 2, 0, 0, TimeSpan.Zero), budget.AvailableAgainAt);
    }

    [Theory]
    [InlineData("")]
    [InlineData("imapsync-budget 2\n2024-07-17T02 1000\n")]
    [InlineData("imapsync-budget 1\n2024-07-17 1000\n2024-07-17T02 -1000\n2024-07-17T02\n\0\n2024-07-17T02 99999999999999999999\n")]
    public async Task A_file_that_makes_no_sense_means_that_nothing_was_spent(string text)
    {
        await File.WriteAllTextAsync(Path, text, Token);
        await using var budget = await ReadAsync();
        Assert.False(budget.IsSpent);
    }

    [Fact]
    public async Task A_file_that_cannot_be_written_is_an_error_of_the_state()
    {
        Directory.CreateDirectory(Path + ".tmp");
        var budget = await ReadAsync();
        await Assert.ThrowsAsync<CheckpointException>(async () => await budget.SpendAsync(1000, Token));
    }

    private Task<DayBudget> ReadAsync() => DayBudget.ReadAsync(new FileMedium(new StateLocation(dir.Path), clock), StateName.SourceBudget, 1000, clock, Token);
}
