namespace Imapsync.Imap.Wire;

/// <summary>Reads the list of names after CAPABILITY (RFC 9051 §7.2.2).</summary>
internal static class CapabilityList
{
    public static ImapCapabilities Read(Tokenizer arguments, ImapLimits limits)
    {
        var names = new List<string>();
        for (var token = arguments.Next(); token.Kind != TokenKind.End && names.Count < limits.MaxCapabilities; token = arguments.Next())
        {
            if (token.Kind == TokenKind.Atom)
                names.Add(token.ToLatin1());
        }

        return new ImapCapabilities(names);
    }
}
