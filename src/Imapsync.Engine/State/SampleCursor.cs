using System.Globalization;
using System.Text;
using Imapsync.Imap;

namespace Imapsync.Engine.State;

/// <summary>
/// Selects the messages that a verification of a sample reads: those whose UID modulo <see cref="Parts"/> equals <see cref="Part"/>. Each
/// run reads the next part, whose number is saved beside the checkpoints. If the number is lost or the share changes, the next run begins
/// with the first part again.
/// </summary>
internal sealed class SampleCursor
{
    private const string Magic = "imapsync-verify 1";
    private const int MaxFileBytes = 200;

    private readonly IStateMedium? state;

    private SampleCursor(IStateMedium? state, uint parts, uint part) => (this.state, Parts, Part) = (state, parts, part);

    public static SampleCursor Everything { get; } = new(null, 1, 0);

    public uint Parts { get; }

    public uint Part { get; }

    public bool Includes(Uid uid) => uid.Value % Parts == Part;

    /// <param name="share">The share of messages to read, above 0 and at most 1. A run reads at least this share, apart from rounding.</param>
    public static async Task<SampleCursor> ReadAsync(IStateMedium state, double share, CancellationToken cancellationToken)
    {
        var parts = (uint)Math.Clamp(Math.Floor((1 / share) + 1e-6), 1, uint.MaxValue);
        if (parts == 1)
            return Everything;
        var part = 0u;
        if (await state.ReadAllAsync(StateName.VerifyCursor, MaxFileBytes, cancellationToken) is { } octets)
        {
            var words = Encoding.UTF8.GetString(octets).TrimEnd('\n').Split('\n');
            if (words is [Magic, var numbers] && numbers.Split(' ') is ["sample", var ofText, var nextText]
                && uint.TryParse(ofText, NumberStyles.None, CultureInfo.InvariantCulture, out var of) && of == parts
                && uint.TryParse(nextText, NumberStyles.None, CultureInfo.InvariantCulture, out var next) && next < parts)
                part = next;
        }

        return new SampleCursor(state, parts, part);
    }

    /// <summary>
    /// Saves the number of the next part for the next run. Called when the run has come to its end, even if some messages could not be read, since these
    /// are reported as problems.
    /// </summary>
    public async Task SaveNextAsync(CancellationToken cancellationToken)
    {
        if (state is null)
            return;
        var text = $"{Magic}\nsample {Parts} {(Part + 1) % Parts}\n";
        await state.ReplaceAsync(StateName.VerifyCursor, Encoding.ASCII.GetBytes(text), cancellationToken);
    }
}
