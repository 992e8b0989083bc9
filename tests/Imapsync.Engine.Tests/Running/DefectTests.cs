using Imapsync.Engine.Mail;
using Imapsync.Engine.Tests.Copying;

namespace Imapsync.Engine.Tests.Running;

public sealed class DefectTests : IDisposable
{
    private readonly MailboxFixture box = new();

    public void Dispose() => box.Dispose();

    [Fact]
    public async Task A_defect_of_the_program_is_told_in_a_line_and_its_stack_trace_is_kept()
    {
        box.Source.Folder("INBOX").Add(MailboxFixture.Mail("m1"));
        await box.RunAsync();
        box.OpenSource = (_, _, _) => throw new InvalidOperationException("no such case");
        var problem = Assert.Single((await box.RunAsync()).Problems);
        var file = Path.Combine(box.StateDirectory, "defect");
        Assert.Equal((Reasons.Unexpected, $"InvalidOperationException: no such case; this is a defect of imapsync, please report it with the file {file}"), (problem.Reason, problem.Text));
        var kept = await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken);
        Assert.Contains("System.InvalidOperationException: no such case", kept, StringComparison.Ordinal);
        Assert.Contains(nameof(A_defect_of_the_program_is_told_in_a_line_and_its_stack_trace_is_kept), kept, StringComparison.Ordinal);
    }
}
