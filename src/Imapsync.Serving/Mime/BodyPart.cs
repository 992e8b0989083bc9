namespace Imapsync.Serving.Mime;

/// <summary>One part of a message (RFC 2045 §2.4): the positions of its header and body in the message's octets, and its header fields.</summary>
internal sealed class BodyPart(BodyPart? parent)
{
    public BodyPart? Parent { get; } = parent;

    public List<BodyPart> Children { get; } = [];

    /// <summary>The fields used for structures and envelopes, unfolded, one character for each octet, in their original order.</summary>
    public List<(string Name, byte[] Value)> Fields { get; } = [];

    public long HeaderStart { get; set; }

    /// <summary>The position after the header and the empty line that ends the header.</summary>
    public long BodyStart { get; set; }

    public long BodyEnd { get; set; }

    public long BodyLines { get; set; }

    /// <summary>The number of line ends from the start of the header to the end of the body.</summary>
    public long Lines { get; set; }

    public ContentField Type { get; set; } = ContentField.TextPlain;

    public bool IsMultipart => Type.Type.Equals("multipart", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether the part's body is a message, which is then its only child.</summary>
    public bool IsMessage { get; set; }

    public long BodyLength => BodyEnd - BodyStart;

    /// <summary>The value of the first field of this name that is not empty; null if there is none.</summary>
    public byte[]? Field(string name) => Fields.Find(f => f.Value.Length > 0 && f.Name.Equals(name, StringComparison.OrdinalIgnoreCase)).Value;

    /// <summary>The value of the last field of this name; null if there is none.</summary>
    public byte[]? LastField(string name) => Fields.FindLast(f => f.Name.Equals(name, StringComparison.OrdinalIgnoreCase)).Value;
}
