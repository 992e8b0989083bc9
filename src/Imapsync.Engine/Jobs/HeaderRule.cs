using System.Collections.Immutable;

namespace Imapsync.Engine.Jobs;

/// <summary>A condition on some fields of a message's header.</summary>
/// <param name="Fields">The names of the fields, in any case. It is enough if one of the fields meets the condition.</param>
/// <param name="Globs">
/// Patterns, of which one must match the whole decoded value, unfolded to one line: <c>*</c> any characters, <c>?</c> one. Case is ignored.
/// </param>
/// <param name="Excludes">True if none of the globs may match.</param>
public sealed record HeaderRule(HeaderKind Kind, ImmutableArray<string> Fields, ImmutableArray<string> Globs, bool Excludes)
{
    /// <summary>Equal texts mean equal conditions.</summary>
    public override string ToString() => $"{Kind} {string.Join(' ', Fields)}{(Excludes ? " without" : "")}:{string.Concat(Globs.Select(g => $" {g.Length} {g}"))}";
}

/// <summary>The parts of a field's value that globs are compared with, besides the whole value.</summary>
public enum HeaderKind
{
    /// <summary>Nothing besides the whole value.</summary>
    Text,

    /// <summary>Each address, each display name, and each name with its address: <c>Jörg &lt;j@example.org&gt;</c>.</summary>
    Addresses,

    /// <summary>The list's identifier, which stands in angle brackets (RFC 2919).</summary>
    ListId,
}
