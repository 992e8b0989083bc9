using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using System.Text.RegularExpressions;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Imap;

/// <summary>
/// Detects a literal whose announced length wrongly includes the items that follow the literal in the reply, such as <c> UID 17</c>. The rest of
/// the line is still a valid reply, so only the end of the body shows the mistake.
/// </summary>
internal static partial class SwallowedItems
{
    private const int MaxItems = 1024;

    /// <summary>Examines the end of a body without consuming it.</summary>
    /// <param name="listed">The size that the server listed; below 1 where it does not know the size.</param>
    /// <param name="length">The announced length of the literal.</param>
    /// <param name="isNamed">Whether the reply had a UID item outside of the literal.</param>
    public static async ValueTask<bool> AreInAsync(PipeReader body, Uid uid, long listed, long length, bool isNamed, CancellationToken cancellationToken)
    {
        var surplus = listed > 0 ? length - listed : 0;
        if (surplus is < 0 or > MaxItems || (surplus == 0 && (isNamed || listed > 0)))
            return false;
        var name = string.Create(CultureInfo.InvariantCulture, $" UID {uid}");
        // The body is too big to be examined. If it is too long by just the length of the UID item that the reply lacks, that is evidence enough.
        if (length > BodySizes.MaxCounted)
            return !isNamed && surplus == name.Length;
        var tail = await ReadTailAsync(body, (int)Math.Min(length, surplus > 0 ? surplus : MaxItems), cancellationToken);
        return surplus > 0
            ? Items().IsMatch(tail)
            : tail.LastIndexOf(name, StringComparison.OrdinalIgnoreCase) is >= 0 and var at && Items().IsMatch(tail[at..]) && (tail.Length == at + name.Length || tail[at + name.Length] == ' ');
    }

    private static async ValueTask<string> ReadTailAsync(PipeReader body, int count, CancellationToken cancellationToken)
    {
        while (true)
        {
            var read = await body.ReadAsync(cancellationToken);
            if (!read.IsCompleted)
            {
                body.AdvanceTo(read.Buffer.Start, read.Buffer.End);
                continue;
            }

            var tail = Encoding.Latin1.GetString(read.Buffer.Slice(Math.Max(0, read.Buffer.Length - count)));
            body.AdvanceTo(read.Buffer.Start);
            return tail;
        }
    }

    /// <summary>Matches the items of a FETCH reply, each with its value.</summary>
    [GeneratedRegex("""\A( [A-Za-z][A-Za-z0-9.\-_\[\]<>]* ([0-9]+|NIL|"[^"\r\n]*"|\([^()\r\n]*\)))+\z""", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Items();
}
