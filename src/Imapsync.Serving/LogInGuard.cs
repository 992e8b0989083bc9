using System.Security.Cryptography;
using System.Text;

namespace Imapsync.Serving;

/// <summary>The server's only account: its user name and a password that is valid until the server stops.</summary>
public sealed class LogInGuard(string user, string password, TimeProvider time)
{
    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(16);

    // The alphabet has no letters that look like digits, because people type the password.
    private const string Alphabet = "abcdefghjkmnpqrstvwxyz0123456789";
    private readonly byte[] expected = Digest(user, password);
    private int failures;

    public string User { get; } = user;

    /// <summary>Generates a password of a hundred random bits, as <c>xxxxx-xxxxx-xxxxx-xxxxx</c>.</summary>
    public static string NewPassword() =>
        string.Join('-', RandomNumberGenerator.GetString(Alphabet, 20).Chunk(5).Select(c => new string(c)));

    /// <summary>
    /// Checks user and password. Each failure, on any connection, delays the answer to the next failure for longer. A
    /// correct log-in is never delayed.
    /// </summary>
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
