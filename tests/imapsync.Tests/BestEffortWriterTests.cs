using System.Text;
using Imapsync.CommandLine.Output;

namespace Imapsync.CommandLine.Tests;

public sealed class BestEffortWriterTests
{
    [Fact]
    public async Task What_can_not_be_written_is_dropped_and_what_can_is_written()
    {
        await using var broken = new BestEffortWriter(new FullDisk());
        broken.Write("a");
        broken.Write('b');
        broken.WriteLine("c");
        await broken.WriteLineAsync("d");
        await broken.FlushAsync(TestContext.Current.CancellationToken);

        var text = new StringWriter();
        await using var good = new BestEffortWriter(text);
        good.Write("a");
        good.Write('b');
        await good.WriteLineAsync("c");
        Assert.Equal("abc", text.ToString().TrimEnd());
    }

    private sealed class FullDisk : TextWriter
    {
        public override Encoding Encoding => Encoding.UTF8;

        public override void Write(char value) => throw new IOException("No space left on device");

        public override void Flush() => throw new IOException("No space left on device");
    }
}
