namespace Imapsync.Engine.Tests.Configuration;

public sealed class SnapshotSettingsTests : JobFileFixture
{
    [Fact]
    public void Snapshots_lie_beside_the_target_and_have_a_place_of_their_own()
    {
        var read = Read(File(Job(job: "snapshots: { daily: 7 }\n    state: state/alice"), Job(name: "bob", job: "snapshots: { weekly: 4, directory: elsewhere }\n    state: state/bob")));
        Assert.Equal((7, 0, null), (read.Jobs[0].Snapshots!.Daily, read.Jobs[0].Snapshots!.Weekly, read.Jobs[0].Snapshots!.Directory));
        Assert.Equal((4, Path.Combine(Directory, "elsewhere")), (read.Jobs[1].Snapshots!.Weekly, read.Jobs[1].Snapshots!.Directory));
    }

    [Theory]
    [InlineData("backup/alice")]
    [InlineData("backup/alice/below")]
    [InlineData("backup")]
    [InlineData("state/alice")]
    [InlineData("state")]
    [InlineData("backup/bob")]
    [InlineData("backup/bob/below")]
    [InlineData("state/bob")]
    [InlineData("backup/bob.snapshots")]
    [InlineData("backup/bob.snapshots/below")]
    public void No_snapshots_lie_where_anything_else_does(string directory)
    {
        var errors = Errors(File(Job(job: $"snapshots: {{ daily: 7, directory: {directory} }}\n    state: state/alice"), Job(name: "bob", job: "snapshots: { daily: 7 }\n    state: state/bob")));
        Assert.Contains(errors, e => e.Contains("would overlap with", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("{ }", "'snapshots' keeps none")]
    [InlineData("{ daily: 0 }", "'snapshots' keeps none")]
    [InlineData("{ daily: -1 }", "'-1' is no number of snapshots")]
    [InlineData("{ daily: many }", "'many' is no number of snapshots")]
    public void How_many_is_a_number(string snapshots, string message) =>
        Assert.Contains(Errors(File(Job(job: $"snapshots: {snapshots}"))), e => e.Contains(message, StringComparison.Ordinal));
}
