using System.Security.Cryptography;
using System.Text;
using Imapsync.Imap.Sasl;
using Imapsync.Tests.Support;

namespace Imapsync.Imap.Tests.Commands;

/// <summary>
/// Calls <see cref="StretchedPassword"/> as MailKit does, once for each HMAC. The result must equal SCRAM's function Hi (RFC 5802 §2.2).
/// </summary>
public sealed class StretchedPasswordTests
{
    [Fact]
    public void It_is_what_as_many_HMACs_make_of_generated_passwords_salts_and_counts()
    {
        var seed = Seeds.Next();
        var random = new Random(seed);
        for (var round = 0; round < 100; round++)
        {
            var (password, salt, count) = (new byte[random.Next(1, 200)], new byte[random.Next(0, 80)], random.Next(1, 60));
            random.NextBytes(password);
            random.NextBytes(salt);
            foreach (var hash in (HashAlgorithmName[])[HashAlgorithmName.SHA1, HashAlgorithmName.SHA256, HashAlgorithmName.SHA512])
            {
                var size = CryptographicOperations.HashData(hash, []).Length;
                using var stretched = new StretchedPassword(password, count, hash, size);
                var wanted = Fold(octets => CryptographicOperations.HmacData(hash, password, octets), salt, count);
                Assert.True(wanted.AsSpan().SequenceEqual(Fold(stretched.ComputeHash, salt, count)), $"seed {seed}, round {round}, {hash}");
            }
        }
    }

    [Theory]
    [InlineData("r=a,s=b,i=4096", 4096)]
    [InlineData("r=a,s=b,i=1,x=i=7", 1)]
    [InlineData("r=a,s=b", null)]
    [InlineData("r=a,s=b,i=0", null)]
    [InlineData("r=a,s=b,i=-5", null)]
    [InlineData("r=a,s=b,i=99999999999", null)]
    [InlineData("r=a,i=4096,s=b,i=1", null)]
    [InlineData("v=abcd,i=4096", null)]
    [InlineData("", null)]
    public void The_count_is_taken_from_the_first_message_alone(string challenge, int? count) =>
        Assert.Equal(count, StretchedPassword.IterationsOf(Encoding.UTF8.GetBytes(challenge)));

    private static byte[] Fold(Func<byte[], byte[]> hmac, byte[] salt, int count)
    {
        var last = hmac([.. salt, 0, 0, 0, 1]);
        var folded = last.ToArray();
        for (var i = 1; i < count; i++)
        {
            last = hmac(last);
            for (var at = 0; at < folded.Length; at++)
                folded[at] ^= last[at];
        }

        return folded;
    }
}
