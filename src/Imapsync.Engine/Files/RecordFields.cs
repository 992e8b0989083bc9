using System.Buffers.Text;

namespace Imapsync.Engine.Files;

/// <summary>Reads the fields of one record from left to right. An invalid field throws <see cref="StateDamagedException"/>.</summary>
internal ref struct RecordFields(ReadOnlySpan<byte> record)
{
    private ReadOnlySpan<byte> rest = record;

    public readonly bool AtEnd => rest.IsEmpty;

    public ReadOnlySpan<byte> Next()
    {
        if (rest.IsEmpty)
            throw new StateDamagedException("a record is too short");
        var blank = rest.IndexOf((byte)' ');
        var field = blank < 0 ? rest : rest[..blank];
        rest = blank < 0 ? default : rest[(blank + 1)..];
        return field;
    }

    public ulong Number()
    {
        var field = Next();
        if (!Utf8Parser.TryParse(field, out ulong number, out var used) || used != field.Length || field[0] is < (byte)'0' or > (byte)'9')
            throw new StateDamagedException("a number can't be read");
        return number;
    }

    public uint Number32()
    {
        var number = Number();
        return number <= uint.MaxValue ? (uint)number : throw new StateDamagedException($"{number} is too large");
    }

    /// <summary>Reads eight lower-case hexadecimal digits.</summary>
    public uint Hex32()
    {
        var field = Next();
        if (field.Length != 8 || field.IndexOfAnyInRange((byte)'A', (byte)'F') >= 0
            || !Utf8Parser.TryParse(field, out uint number, out var used, 'x') || used != field.Length)
            throw new StateDamagedException("a check sum can't be read");
        return number;
    }

    /// <summary>Reads a number, or null where the field is <c>-</c>.</summary>
    public ulong? OptionalNumber()
    {
        if (rest.IsEmpty || rest[0] != '-')
            return Number();
        return Next().Length == 1 ? null : throw new StateDamagedException("a number can't be read");
    }

    public string? Text() =>
        FieldEscaping.TryUnescape(Next(), out var text) ? text : throw new StateDamagedException("a text can't be read");

    public string RequiredText() => Text() ?? throw new StateDamagedException("a text is missing");

    public readonly void End()
    {
        if (!rest.IsEmpty)
            throw new StateDamagedException("a record is too long");
    }
}

/// <summary>Thrown when a state file is damaged. The code that reads the file catches it and continues as if the file were lost.</summary>
internal sealed class StateDamagedException(string message) : Exception(message);
