namespace Imapsync.Engine.SigningIn;

/// <summary>Judges and describes a difference between the authorization server's clock and this machine's.</summary>
internal static class ClockSkew
{
    /// <summary>
    /// The largest clock difference that servers commonly accept. It is longer than a request takes, so network delay is not mistaken for a
    /// clock difference.
    /// </summary>
    private static readonly TimeSpan Tolerated = TimeSpan.FromMinutes(2);

    public static bool IsFar(TimeSpan ahead) => ahead.Duration() > Tolerated;

    /// <summary>Describes the clock difference for an error text. The text begins with a semicolon; it is empty when the clocks agree.</summary>
    /// <param name="ahead">How far the other clock is ahead of this machine's.</param>
    public static string Describe(TimeSpan ahead) => IsFar(ahead)
        ? $"; this machine's clock is {ahead.Duration():d\\.hh\\:mm\\:ss} {(ahead > TimeSpan.Zero ? "behind" : "ahead of")} the authorization server's: set the one that is wrong (timedatectl)"
        : "";
}
