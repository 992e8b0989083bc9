using System.Text;
using Imapsync.Engine.Verifying;

namespace Imapsync.Engine.Tests.Verifying;

public sealed class OctetDifferenceTests
{
    [Theory]
    [InlineData("A: b\r\n\r\nx\n", "A: b\r\n\r\nx\r\n", "only line ends differ")]
    [InlineData("A: b\r\n\r\nx\0y", "A: b\r\n\r\nxy", "only NUL octets")]
    [InlineData("A: b\r\n\r\nx", "A: b\r\n\r\nx\r\n", "added a line end")]
    [InlineData("A: b\r\n\r\nx", "X-Scanned: yes\r\nA: b\r\n\r\nx", "added header fields: X-Scanned")]
    [InlineData("A: b\r\n\r\nx", "A: c\r\n\r\nx", "first at octet 3, in the header: 0x62, at the target 0x63; both have 9 octets")]
    [InlineData("A: b\r\n\r\nxyz", "A: b\r\n\r\nx", "first at octet 9, in the body: 0x79, at the target the end; 11 octets, at the target 9")]
    [InlineData("no header", "", "first at octet 0, in the header: 0x6e, at the target the end; 9 octets, at the target 0")]
    [InlineData("same", "same", "the same when read again")]
    public void The_usual_changes_are_named_and_others_located(string source, string target, string text) =>
        Assert.Contains(text, OctetDifference.Describe(Encoding.Latin1.GetBytes(source), Encoding.Latin1.GetBytes(target)), StringComparison.Ordinal);
}
