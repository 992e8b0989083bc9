using System.Globalization;
using System.Text.RegularExpressions;

namespace Imapsync.Servers.Tests.World;

/// <summary>What a server, or a proxy in front of it, omits or misstates during one run.</summary>
internal enum Lie
{
    NoExists,
    ZeroExists,
    NoUidNext,
    ZeroUidNext,
    NoUidValidity,
    ZeroUidValidity,
    NoModSeq,
    ZeroModSeq,
    HiddenFolder,
    EmptyStatus,
    ZeroInStatus,
    NoExistsAndEmptyStatus,
    NoAppendUid,
    SwappedAppendUid,
    AppendUidOfAnotherValidity,
    ShiftedAppendUid,
    WrongSizes,
    NoSizes,
    ShortListing,
}

/// <summary>Implements each lie as a function that changes or drops lines that the server sends.</summary>
internal static partial class Lies
{
    /// <summary>Lies that some servers always tell, so a job has to cope with them.</summary>
    public static readonly Lie[] Lasting =
    [
        Lie.NoUidNext, Lie.ZeroUidNext, Lie.NoUidValidity, Lie.ZeroUidValidity, Lie.NoModSeq, Lie.EmptyStatus, Lie.NoAppendUid,
        Lie.SwappedAppendUid, Lie.AppendUidOfAnotherValidity, Lie.ShiftedAppendUid, Lie.NoSizes,
    ];

    /// <summary>
    /// Whether this false statement of a server hides counters (UIDNEXT, UIDVALIDITY, MODSEQ) that would reveal a store restored from an
    /// older copy.
    /// </summary>
    public static bool HidesCounters(Lie lie) => lie is Lie.NoUidNext or Lie.ZeroUidNext or Lie.NoUidValidity or Lie.ZeroUidValidity or Lie.NoModSeq
        or Lie.ZeroModSeq or Lie.EmptyStatus or Lie.NoExistsAndEmptyStatus;

    /// <param name="folder">The folder that a listing omits.</param>
    public static Func<string, string?> Of(Lie lie, string folder, int seed) => lie switch
    {
        Lie.NoExists => l => Exists().IsMatch(l) ? null : l,
        Lie.ZeroExists => l => Exists().Replace(l, "* 0 EXISTS"),
        Lie.NoUidNext => l => InStatus(l, "UIDNEXT", null) is var s && Code(s, "UIDNEXT") ? null : s,
        Lie.ZeroUidNext => l => CodeNumber("UIDNEXT").Replace(InStatus(l, "UIDNEXT", "0"), "[UIDNEXT 0]"),
        Lie.NoUidValidity => l => InStatus(l, "UIDVALIDITY", null) is var s && Code(s, "UIDVALIDITY") ? null : s,
        Lie.ZeroUidValidity => l => CodeNumber("UIDVALIDITY").Replace(InStatus(l, "UIDVALIDITY", "0"), "[UIDVALIDITY 0]"),
        Lie.NoModSeq => l => InStatus(l, "HIGHESTMODSEQ", null) is var s && Code(s, "HIGHESTMODSEQ") ? null : s,
        Lie.ZeroModSeq => l => CodeNumber("HIGHESTMODSEQ").Replace(InStatus(l, "HIGHESTMODSEQ", "0"), "[HIGHESTMODSEQ 0]"),
        Lie.HiddenFolder => l => Listed().Match(l) is { Success: true } m && m.Groups["name"].Value.Trim('"') == folder ? null : l,
        Lie.EmptyStatus => EmptyStatus,
        Lie.ZeroInStatus => l => InStatus(l, "MESSAGES", "0"),
        Lie.NoExistsAndEmptyStatus => l => Exists().IsMatch(l) ? null : EmptyStatus(l),
        Lie.NoAppendUid => l => AppendUid().Replace(l, "OK "),
        Lie.SwappedAppendUid => l => AppendUid().Replace(l, m => $"OK [APPENDUID {m.Groups["uids"].Value} {m.Groups["validity"].Value}] "),
        Lie.AppendUidOfAnotherValidity => l => AppendUid().Replace(l, m => $"OK [APPENDUID {Number(m, "validity") + 7} {m.Groups["uids"].Value}] "),
        Lie.ShiftedAppendUid => l => AppendUid().Replace(l, m => m.Groups["uids"].Value.Contains(':', StringComparison.Ordinal)
            ? m.Value
            : $"OK [APPENDUID {m.Groups["validity"].Value} {Math.Max(1, Number(m, "uids") + (seed % 5) - 3)}] "),
        Lie.WrongSizes => l => Size().Replace(l, m => Number(m, "size") % 3 == seed % 3 ? $"RFC822.SIZE {Math.Max(1, Number(m, "size") + 90 - (seed % 180))}" : m.Value),
        Lie.NoSizes => l => Size().Replace(l, "RFC822.SIZE 0"),
        _ => l => Fetched().Match(l) is { Success: true } m && !l.EndsWith('}') && Number(m, "uid") % 5 == seed % 5 ? null : l,
    };

    private static string EmptyStatus(string line) => Status().Replace(line, "${head}()");

    private static string InStatus(string line, string item, string? number) => !Status().IsMatch(line)
        ? line
        : Regex.Replace(line, $@" ?\b{item} \d+", number is null ? "" : $" {item} {number}", RegexOptions.None, TimeSpan.FromSeconds(1)).Replace("( ", "(", StringComparison.Ordinal);

    private static bool Code(string line, string code) => CodeNumber(code).IsMatch(line);

    private static Regex CodeNumber(string code) => new($@"\[{code} \d+\]", RegexOptions.None, TimeSpan.FromSeconds(1));

    private static long Number(Match match, string group) => long.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^\* \d+ EXISTS$", RegexOptions.None, 60_000)]
    private static partial Regex Exists();

    [GeneratedRegex(@"^(?<head>\* STATUS .*)\((?<items>[^()]*)\)$", RegexOptions.None, 60_000)]
    private static partial Regex Status();

    [GeneratedRegex(@"^\* (?:LIST|LSUB) \([^)]*\) \S+ (?<name>.*?)$", RegexOptions.None, 60_000)]
    private static partial Regex Listed();

    [GeneratedRegex(@"OK \[APPENDUID (?<validity>\d+) (?<uids>[\d:,]+)\] ", RegexOptions.None, 60_000)]
    private static partial Regex AppendUid();

    [GeneratedRegex(@"RFC822\.SIZE (?<size>\d+)", RegexOptions.None, 60_000)]
    private static partial Regex Size();

    [GeneratedRegex(@"^\* \d+ FETCH \(.*?\bUID (?<uid>\d+)", RegexOptions.None, 60_000)]
    private static partial Regex Fetched();
}
