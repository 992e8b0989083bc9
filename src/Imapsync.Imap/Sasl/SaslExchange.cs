using System.Globalization;
using System.Text;
using MailKit.Security;

namespace Imapsync.Imap.Sasl;

/// <summary>The server did not prove itself or talks nonsense, or the mechanism can't be used here. Its text names no secret.</summary>
internal sealed class SaslFaultException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>One SASL exchange (RFC 4422), used once: one of MailKit's mechanisms, and what it leaves to its caller.</summary>
internal sealed class SaslExchange : IDisposable
{
    private readonly SaslMechanism mechanism;
    private readonly ImapLimits limits;
    private int challenges;

    /// <exception cref="SaslFaultException">The mechanism can't even begin here, e.g. without a Kerberos ticket.</exception>
    public SaslExchange(SaslMechanism mechanism, ImapLimits limits)
    {
        (this.mechanism, this.limits) = (mechanism, limits);
        try
        {
            // What SASLprep forbids is to be known before anything is sent.
            if (IsScram)
                SaslMechanism.SaslPrep(mechanism.Credentials.Password);
            if (mechanism.SupportsInitialResponse)
                InitialResponse = mechanism.Challenge(null, CancellationToken.None);
        }
        catch (Exception e)
        {
            Dispose();
            throw new SaslFaultException(
                e is ArgumentException ? $"{Name} can't carry this user or password (SASLprep forbids one of the characters)" : $"{Name} can't be used here: {e.Message}", e);
        }
    }

    public string Name => mechanism.MechanismName;

    /// <summary>What the client says first, in base64; null where the server begins.</summary>
    public string? InitialResponse { get; }

    /// <summary>
    /// The server has shown that it knows the password, or the mechanism has no such proof. Without it no OK is to be believed,
    /// at whatever point of the exchange it comes.
    /// </summary>
    public bool IsProven => mechanism switch
    {
        SaslMechanismScramBase or SaslMechanismDigestMd5 => mechanism.IsAuthenticated,
        GssapiMechanism kerberos => kerberos.IsProven,
        _ => true,
    };

    /// <summary>What the server said of the token that it is about to refuse.</summary>
    public TokenRefusal? TokenRefusal { get; private set; }

    private bool IsScram => mechanism is SaslMechanismScramBase;

    public void Dispose() => (mechanism as IDisposable)?.Dispose();

    /// <summary>Answers a challenge, both in base64.</summary>
    public string Next(string challenge)
    {
        if (++challenges > limits.MaxChallenges)
            throw new SaslFaultException($"the server does not come to an end with {Name}");
        try
        {
            var text = Encoding.UTF8.GetString(Convert.FromBase64String(challenge.Trim()));
            if (IsScram)
            {
                // The refusal of RFC 5802 §7; an empty answer brings the tagged NO.
                if (text.StartsWith("e=", StringComparison.Ordinal))
                    return "";
                RefuseEndlessWork(text);
            }

            if (mechanism is SaslMechanismOAuthBearer or SaslMechanismOAuth2)
                TokenRefusal = TokenRefusal.TryRead(text);
            return mechanism.Challenge(challenge, CancellationToken.None);
        }
        catch (SaslException e) when (e.ErrorCode == SaslErrorCode.IncorrectHash)
        {
            // Not MailKit's own text: it tells what would have been right.
            throw new SaslFaultException("the server could not prove that it knows the password", e);
        }
        catch (Exception e) when (e is not SaslFaultException)
        {
            throw new SaslFaultException($"the server's part of {Name} makes no sense", e);
        }
    }

    private void RefuseEndlessWork(string text)
    {
        foreach (var part in text.Split(',').Where(p => p.StartsWith("i=", StringComparison.Ordinal)))
        {
            if (!int.TryParse(part.AsSpan(2), NumberStyles.None, CultureInfo.InvariantCulture, out var iterations) || iterations > limits.MaxScramIterations)
                throw new FormatException("a count of iterations that nobody means");
        }
    }
}
