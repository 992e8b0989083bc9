using System.IO.Pipelines;
using System.Text;

namespace Imapsync.Engine.Stores.Imap;

/// <summary>
/// Courier answers a FETCH of a message that another session expunged with OK and a little mail of its own making that says
/// so. It is looked for only where the size differs from the one listed.
/// </summary>
internal static class VanishedNotice
{
    /// <summary>Octets; the notice has 129.</summary>
    public const int MaxLength = 256;

    /// <summary>Looks without consuming.</summary>
    public static async ValueTask<bool> IsAsync(PipeReader body, CancellationToken cancellationToken)
    {
        while (true)
        {
            var read = await body.ReadAsync(cancellationToken);
            var isNotice = read.IsCompleted
                && Encoding.Latin1.GetString(read.Buffer).Contains("message unavailable", StringComparison.OrdinalIgnoreCase);
            body.AdvanceTo(read.Buffer.Start, read.IsCompleted ? read.Buffer.Start : read.Buffer.End);
            if (read.IsCompleted)
                return isNotice;
        }
    }
}
