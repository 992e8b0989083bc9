using System.Buffers.Binary;
using System.Text;

namespace Imapsync.Tests.Support;

/// <summary>
/// A message of the OpenTelemetry protocol (OTLP), decoded from protobuf without the product's code: each field number with its values in
/// order.
/// </summary>
public sealed class OtlpMessage
{
    private readonly List<(int Field, byte[] Octets, ulong Number)> fields = [];

    public OtlpMessage(ReadOnlySpan<byte> octets)
    {
        while (octets.Length > 0)
        {
            var key = Varint(ref octets);
            var field = (int)(key >> 3);
            switch (key & 7)
            {
                case 0:
                    fields.Add((field, [], Varint(ref octets)));
                    break;
                case 1:
                    fields.Add((field, [], BinaryPrimitives.ReadUInt64LittleEndian(octets)));
                    octets = octets[8..];
                    break;
                case 2:
                    var length = (int)Varint(ref octets);
                    fields.Add((field, octets[..length].ToArray(), 0));
                    octets = octets[length..];
                    break;
                case 5:
                    fields.Add((field, [], BinaryPrimitives.ReadUInt32LittleEndian(octets)));
                    octets = octets[4..];
                    break;
                default:
                    throw new FormatException($"no wire type of Protocol Buffers: {key & 7}");
            }
        }
    }

    /// <summary>Returns the nested messages at a path of field numbers.</summary>
    public IEnumerable<OtlpMessage> Messages(params int[] path) =>
        path is [var first, .. var rest]
            ? fields.Where(f => f.Field == first).SelectMany(f => new OtlpMessage(f.Octets).Messages(rest))
            : [this];

    public string Text(int field) => Encoding.UTF8.GetString(Octets(field));

    public byte[] Octets(int field) => fields.Where(f => f.Field == field).Select(f => f.Octets).LastOrDefault() ?? [];

    public ulong Number(int field) => fields.Where(f => f.Field == field).Select(f => f.Number).LastOrDefault();

    public double Double(int field) => BitConverter.UInt64BitsToDouble(Number(field));

    /// <summary>Returns a field of KeyValue messages as a dictionary. Values that are no strings are converted to text.</summary>
    public IReadOnlyDictionary<string, string> Attributes(int field) => Messages(field).ToDictionary(a => a.Text(1), a => Value(a.Messages(2).SingleOrDefault()), StringComparer.Ordinal);

    private static string Value(OtlpMessage? value) => value?.fields is not [var only, ..] ? "" : only.Field switch
    {
        1 => Encoding.UTF8.GetString(only.Octets),
        2 => only.Number == 1 ? "true" : "false",
        3 => $"{(long)only.Number}",
        4 => FormattableString.Invariant($"{BitConverter.UInt64BitsToDouble(only.Number)}"),
        _ => throw new FormatException($"a value of another kind: {only.Field}"),
    };

    private static ulong Varint(ref ReadOnlySpan<byte> octets)
    {
        ulong value = 0;
        for (var shift = 0; ; shift += 7)
        {
            var octet = octets[0];
            octets = octets[1..];
            value |= (ulong)(octet & 0x7F) << shift;
            if (octet < 0x80)
                return value;
        }
    }
}
