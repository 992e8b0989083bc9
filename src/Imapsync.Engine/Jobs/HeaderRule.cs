using System.Collections.Immutable;

namespace Imapsync.Engine.Jobs;

/// <summary>A condition on some fields of a message's header.</summary>
/// <param name="Fields">Their names; whatever case they are written in. It is enough when one fits.</param>
/// <param name="Globs">
/// <c>*</c> any characters, <c>?</c> one, in any case, for all of a value as people read it: decoded, on one line. One of them must fit.
/// </param>
/// <param name="Excludes">None of them may fit.</param>
public sealed record HeaderRule(HeaderKind Kind, ImmutableArray<string> Fields, ImmutableArray<string> Globs, bool Excludes)
{
    /// <summary>Equal texts mean equal conditions.</summary>
    public override string ToString() => $"{Kind} {string.Join(' ', Fields)}{(Excludes ? " without" : "")}:{string.Concat(Globs.Select(g => $" {g.Length} {g}"))}";
}

/// <summary>What globs are held against, besides the whole value.</summary>
public enum HeaderKind
{
    /// <summary>Nothing else.</summary>
    Text,

    /// <summary>Each address, each name, and each with the other: <c>Jörg &lt;j@example.org&gt;</c>.</summary>
    Addresses,

    /// <summary>What stands in angle brackets (RFC 2919).</summary>
    ListId,
}
