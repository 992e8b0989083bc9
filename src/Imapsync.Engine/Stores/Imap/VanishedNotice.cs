using System.IO.Pipelines;
using System.Text;

namespace Imapsync.Engine.Stores.Imap;

/// <summary>
/// Detects Courier's notice about an expunged message: to a FETCH of a message that another session expunged, Courier answers OK and sends a small
/// text of its own as the body. A body is examined only where its size differs from the one listed.
/// </summary>
internal static class VanishedNotice
{
    /// <summary>The most octets that the notice can have; Courier's has 129.</summary>
    public const int MaxLength = 256;

    /// <summary>Examines a body without consuming it.</summary>
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
