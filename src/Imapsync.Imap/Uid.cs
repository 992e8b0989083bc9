using System.Globalization;

namespace Imapsync.Imap;

/// <summary>
/// A message's unique identifier in one folder (RFC 9051 §2.3.1.1): ascending, never reused, and meaningless
/// without the <see cref="UidValidity"/> it belongs to. 0 stands for no UID.
/// </summary>
public readonly record struct Uid(uint Value) : IComparable<Uid>
{
    public static Uid None => default;

    public bool IsNone => Value == 0;

    public int CompareTo(Uid other) => Value.CompareTo(other.Value);

    public static bool operator <(Uid left, Uid right) => left.Value < right.Value;

    public static bool operator >(Uid left, Uid right) => left.Value > right.Value;

    public static bool operator <=(Uid left, Uid right) => left.Value <= right.Value;

    public static bool operator >=(Uid left, Uid right) => left.Value >= right.Value;

    public override string ToString() => Value.ToString(CultureInfo.InvariantCulture);
}

/// <summary>
/// The generation of a folder's UIDs (RFC 9051 §2.3.1.1). When it changes, all earlier UIDs are void. 0 means that UIDs are valid for this
/// session only.
/// </summary>
public readonly record struct UidValidity(uint Value)
{
    public static UidValidity None => default;

    public bool IsNone => Value == 0;

    public override string ToString() => Value.ToString(CultureInfo.InvariantCulture);
}

/// <summary>A modification sequence (RFC 7162 §3.1), which grows with every change to a folder's flags or messages.</summary>
public readonly record struct ModSeq(ulong Value) : IComparable<ModSeq>
{
    public int CompareTo(ModSeq other) => Value.CompareTo(other.Value);

    public static bool operator <(ModSeq left, ModSeq right) => left.Value < right.Value;

    public static bool operator >(ModSeq left, ModSeq right) => left.Value > right.Value;

    public static bool operator <=(ModSeq left, ModSeq right) => left.Value <= right.Value;

    public static bool operator >=(ModSeq left, ModSeq right) => left.Value >= right.Value;

    public override string ToString() => Value.ToString(CultureInfo.InvariantCulture);
}
