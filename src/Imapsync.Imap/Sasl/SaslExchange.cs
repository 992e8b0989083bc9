using System.Globalization;
using System.Text;
using MailKit.Security;

namespace Imapsync.Imap.Sasl;

/// <summary>The server did not prove its identity, sent invalid data, or the mechanism can't be used here. The message contains no secret.</summary>
internal sealed class SaslFaultException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>One SASL exchange (RFC 4422), for a single use: runs one of MailKit's mechanisms and adds the checks that MailKit leaves to its caller.</summary>
internal sealed class SaslExchange : IDisposable
{
    private readonly SaslMechanism mechanism;
    private readonly ImapLimits limits;
    private int challenges;

    /// <exception cref="SaslFaultException">The mechanism can't even begin here, e.g. for lack of a Kerberos ticket.</exception>
    public SaslExchange(SaslMechanism mechanism, ImapLimits limits)
    {
        (this.mechanism, this.limits) = (mechanism, limits);
        try
        {
            // Check the password's characters now, so that a character that SASLprep forbids is reported before anything is sent.
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

    /// <summary>The client's first message in base64; null if the server begins.</summary>
    public string? InitialResponse { get; }

    /// <summary>
    /// Whether the server has proved that it knows the password; true for mechanisms without such a proof. Until then do not believe an OK,
    /// at whatever point of the exchange it arrives.
    /// </summary>
    public bool IsProven => mechanism switch
    {
        SaslMechanismScramBase or SaslMechanismDigestMd5 => mechanism.IsAuthenticated,
        GssapiMechanism kerberos => kerberos.IsProven,
        _ => true,
    };

    /// <summary>The server's explanation for the token it is about to refuse; null if it sent none.</summary>
    public TokenRefusal? TokenRefusal { get; private set; }

    private bool IsScram => mechanism is SaslMechanismScramBase;

    public void Dispose() => (mechanism as IDisposable)?.Dispose();

    /// <summary>Returns the response to a challenge; both are in base64.</summary>
    public string Next(string challenge)
    {
        if (++challenges > limits.MaxChallenges)
            throw new SaslFaultException($"the server does not come to an end with {Name}");
        try
        {
            var text = Encoding.UTF8.GetString(Convert.FromBase64String(challenge.Trim()));
            if (IsScram)
            {
                // The challenge is SCRAM's error message (RFC 5802 §7). An empty response makes the server send the tagged NO.
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
            // Do not pass on MailKit's own text, because it contains the proof (computed from the password) that
            // the server should have sent.
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
