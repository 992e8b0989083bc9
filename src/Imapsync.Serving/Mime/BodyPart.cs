namespace Imapsync.Serving.Mime;

/// <summary>One part of a message (RFC 2045 §2.4): where its header and its body lie among the message's octets, and what its header says.</summary>
internal sealed class BodyPart(BodyPart? parent)
{
    public BodyPart? Parent { get; } = parent;

    public List<BodyPart> Children { get; } = [];

    /// <summary>Header fields that structures and envelopes are made of, unfolded, one character an octet, in the order they came.</summary>
    public List<(string Name, byte[] Value)> Fields { get; } = [];

    public long HeaderStart { get; set; }

    /// <summary>Behind the header and the empty line that ends it.</summary>
    public long BodyStart { get; set; }

    public long BodyEnd { get; set; }

    public long BodyLines { get; set; }

    /// <summary>Line ends from the header's start to the body's end.</summary>
    public long Lines { get; set; }

    public ContentField Type { get; set; } = ContentField.TextPlain;

    public bool IsMultipart => Type.Type.Equals("multipart", StringComparison.OrdinalIgnoreCase);

    /// <summary>Its body is a message, the one child.</summary>
    public bool IsMessage { get; set; }

    public long BodyLength => BodyEnd - BodyStart;

    /// <summary>The first field of this name that says something.</summary>
    public byte[]? Field(string name) => Fields.Find(f => f.Value.Length > 0 && f.Name.Equals(name, StringComparison.OrdinalIgnoreCase)).Value;

    /// <summary>The last field of this name, where it stands more than once.</summary>
    public byte[]? LastField(string name) => Fields.FindLast(f => f.Name.Equals(name, StringComparison.OrdinalIgnoreCase)).Value;
}
