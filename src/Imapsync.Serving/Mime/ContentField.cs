namespace Imapsync.Serving.Mime;

/// <summary>Content-Type, or Content-Disposition without a subtype (RFC 2045 §5.1, RFC 2183): words and parameters, not decoded.</summary>
internal sealed record ContentField(string Type, string Subtype, IReadOnlyList<(string Name, byte[] Value)> Parameters)
{
    private const int MostParameters = 1000;

    public static ContentField TextPlain { get; } = new("text", "plain", []);

    public static ContentField Message { get; } = new("message", "rfc822", []);

    public bool Is(string type, string subtype) => Type.Equals(type, StringComparison.OrdinalIgnoreCase) && Subtype.Equals(subtype, StringComparison.OrdinalIgnoreCase);

    /// <returns>Null if the value is not a media type.</returns>
    public static ContentField? ParseType(ReadOnlySpan<byte> value)
    {
        var tokens = new HeaderTokens(value);
        tokens.SkipBlanksAndComments();
        var type = tokens.MimeToken();
        if (type.Length == 0 || !tokens.TrySkip('/'))
            return null;
        var subtype = tokens.MimeToken();
        return subtype.Length == 0 ? null : new ContentField(type, subtype, ParseParameters(ref tokens));
    }

    /// <returns>Null if the value does not begin with a word.</returns>
    public static ContentField? ParseDisposition(ReadOnlySpan<byte> value)
    {
        var tokens = new HeaderTokens(value);
        tokens.SkipBlanksAndComments();
        var type = tokens.MimeToken();
        return type.Length == 0 ? null : new ContentField(type, "", ParseParameters(ref tokens));
    }

    public byte[]? Parameter(string name)
    {
        foreach (var (known, value) in Parameters)
        {
            if (known.Equals(name, StringComparison.OrdinalIgnoreCase))
                return value;
        }

        return null;
    }

    private static List<(string, byte[])> ParseParameters(ref HeaderTokens tokens)
    {
        var parameters = new List<(string, byte[])>();
        while (!tokens.IsAtEnd && parameters.Count < MostParameters)
        {
            // Skip anything unreadable up to the next semicolon.
            if (!tokens.TrySkip(';'))
            {
                tokens.Until(";"u8);
                continue;
            }

            var name = tokens.MimeToken();
            if (name.Length > 0 && tokens.TrySkip('=') && tokens.Value() is { } value)
                parameters.Add((name, value));
        }

        return parameters;
    }
}
