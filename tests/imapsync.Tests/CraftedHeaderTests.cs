using System.Text;
using Imapsync.Serving;
using Imapsync.Serving.Mime;
using Imapsync.Serving.Wire;

namespace Imapsync.CommandLine.Tests;

/// <summary>Headers made to exhaust memory. Whatever they repeat, ENVELOPE and BODYSTRUCTURE have a bounded size.</summary>
public sealed class CraftedHeaderTests
{
    private const int HeaderBytes = 5 << 20;

    /// <summary>
    /// The maximum memory in bytes: twice the cost of holding and parsing a 4 MiB header and writing it three times. ENVELOPE writes From
    /// three times.
    /// </summary>
    private const long MostBytes = 200L << 20;

    private const int MostAnswerBytes = 32 << 20;

    [Theory]
    [InlineData("From:a\n", "")]
    [InlineData("From: a@b\n", "")]
    [InlineData("Subject: x\n", "")]
    [InlineData("From: ", "a,")]
    [InlineData("From: ", ",")]
    [InlineData("From: ", "a:;")]
    [InlineData("From: ", "(c)a@b,")]
    [InlineData("From: ", "\"\\\"\"<@a,@b:c@d>,")]
    [InlineData("From: ", "a b c ")]
    [InlineData("From: ", "\"")]
    [InlineData("From: ", "(")]
    [InlineData("From: ", "<")]
    [InlineData("From: ", "@")]
    [InlineData("Content-Type: text/plain", "; a=b")]
    [InlineData("Content-Language: ", "a,")]
    public async Task A_header_of_nothing_but(string start, string repeated)
    {
        var field = new StringBuilder(start);
        // A single field is truncated at 1 MiB, so the header has several such fields and many small ones.
        while (repeated.Length > 0 && field.Length < (1 << 20) - 100)
            field.Append(repeated);
        var header = new StringBuilder();
        while (header.Length < HeaderBytes)
            header.Append(field).Append(field[^1] == '\n' ? "" : "\n");

        await CheckAsync(Encoding.ASCII.GetBytes(header.Append("\n\n").ToString()));
    }

    [Fact]
    public async Task Messages_inside_of_messages_with_such_headers()
    {
        var message = new StringBuilder("Content-Type: multipart/mixed; boundary=b\n\n");
        for (var i = 0; i < 9000; i++)
            message.Append("--b\nContent-Type: message/rfc822\n\nFrom: ").Append(string.Concat(Enumerable.Repeat("a,", 240))).Append("\n\n");

        await CheckAsync(Encoding.ASCII.GetBytes(message.ToString()));
    }

    private static async Task CheckAsync(byte[] octets)
    {
        var limits = ServingLimits.Default;
        using var answer = new MemoryStream();
        var before = GC.GetAllocatedBytesForCurrentThread();
        using var scanner = new StructureScanner(limits);
        scanner.Feed(octets);
        var root = scanner.Finish();
        var output = new ResponseWriter(answer, limits, TimeProvider.System);
        EnvelopeText.Write(root, output, new AddressBudget(limits));
        new BodyStructureText(output, isExtended: true, new AddressBudget(limits)).Write(root);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        await output.FlushAsync(TestContext.Current.CancellationToken);

        Assert.True(allocated < MostBytes && answer.Length < MostAnswerBytes, $"{allocated >> 20} MiB for an answer of {answer.Length >> 10} KiB");
        Assert.InRange(answer.Length, 50, MostAnswerBytes);
        TestContext.Current.SendDiagnosticMessage($"{allocated >> 20} MiB, answer {answer.Length >> 10} KiB");
    }
}
