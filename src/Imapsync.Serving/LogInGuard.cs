using System.Security.Cryptography;
using System.Text;

namespace Imapsync.Serving;

/// <summary>The one account there is: its name and the password that holds until the server ends.</summary>
public sealed class LogInGuard(string user, string password, TimeProvider time)
{
    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(16);

    // No letters that look like digits: people type it.
    private const string Alphabet = "abcdefghjkmnpqrstvwxyz0123456789";
    private readonly byte[] expected = Digest(user, password);
    private int failures;

    public string User { get; } = user;

    /// <summary>A hundred bits, as <c>xxxxx-xxxxx-xxxxx-xxxxx</c>.</summary>
    public static string NewPassword() =>
        string.Join('-', RandomNumberGenerator.GetString(Alphabet, 20).Chunk(5).Select(c => new string(c)));

    /// <summary>Whoever is wrong waits, longer each time, whichever connection he tries: whoever is right does not.</summary>
    public async ValueTask<bool> AcceptsAsync(string givenUser, string givenPassword, CancellationToken cancellationToken)
    {
        if (CryptographicOperations.FixedTimeEquals(Digest(givenUser, givenPassword), expected))
        {
            Interlocked.Exchange(ref failures, 0);
            return true;
        }

        var delay = FirstDelay * Math.Pow(2, Math.Min(Interlocked.Increment(ref failures) - 1, 10));
        await Task.Delay(delay < LongestDelay ? delay : LongestDelay, time, cancellationToken);
        return false;
    }

    private static byte[] Digest(string user, string password) => SHA256.HashData(Encoding.UTF8.GetBytes($"{user}\0{password}"));
}
