namespace Imapsync.Imap;

public enum StatusKind
{
    Ok,
    No,
    Bad,
    Bye,
    PreAuth,
}

/// <summary>OK, NO, BAD, BYE or PREAUTH with its response code and text (RFC 9051 §7.1), tagged or untagged.</summary>
public sealed record StatusReply(StatusKind Kind, ResponseCode? Code, string Text)
{
    public bool Has(ResponseCodeKind code) => Code?.Kind == code;

    public override string ToString()
    {
        var kind = Kind.ToString().ToUpperInvariant();
        return Code is null ? $"{kind} {Text}".TrimEnd() : $"{kind} [{Code}] {Text}".TrimEnd();
    }
}
