using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Imapsync.Engine.Mail;
using Imapsync.Engine.State;
using Imapsync.Imap;

namespace Imapsync.Engine.Jobs;

/// <summary>One job of a job file, checked and complete. Immutable; secrets are still references.</summary>
public sealed record JobDefinition(string Name, Endpoint Source, Endpoint Target)
{
    public FolderRules Folders { get; init; } = new();

    public MessageFilter Messages { get; init; } = new();

    public FlagPolicy Flags { get; init; } = FlagPolicy.Follow;

    public MigrationStage Stage { get; init; }

    /// <summary>From when on the target is in use; only of <see cref="MigrationStage.Final"/>.</summary>
    public DateTimeOffset? Cutover { get; init; }

    /// <summary>What arrived last is copied first.</summary>
    public bool NewestFirst { get; init; }

    public LabelPolicy Labels { get; init; } = LabelPolicy.None;

    public DeletionPolicy Deletions { get; init; } = DeletionPolicy.Keep;

    public DeletionLimit DeletionLimit { get; init; } = new(10, IsPercent: true);

    /// <summary>Where <see cref="DeletionPolicy.Trash"/> keeps what it removes, a folder of the target.</summary>
    public FolderPath TrashFolder { get; init; } = new("Removed");

    public AclPolicy Acl { get; init; } = AclPolicy.None;

    /// <summary>The source's identifiers → the target's, for <see cref="AclPolicy.Copy"/>; those not named are the same. Empty: left out.</summary>
    public ImmutableDictionary<string, string> AclMap { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>A message that the target refuses as malformed may be changed until it fits; each is told.</summary>
    public bool Repair { get; init; }

    public RetrySettings Retry { get; init; } = new();

    /// <summary>How long a run may take before it stops cleanly; null for no limit.</summary>
    public TimeSpan? MaxDuration { get; init; }

    /// <summary>Which points in time of the target are kept; null for none.</summary>
    public SnapshotPolicy? Snapshots { get; init; }

    /// <summary>What words the target's messages have is kept for finding them, and each run adds what came.</summary>
    public bool HasIndex { get; init; }

    public WatchSettings Watch { get; init; } = new();

    /// <summary>
    /// The backup this job restores. Then it brings back what is missing at the target and touches nothing else there: what the
    /// target has lost since it was copied is copied again, no folder is renamed, and none is created that gets no message of those chosen.
    /// </summary>
    public RestoreOrigin? Restores { get; init; }

    public bool IsRestore => Restores is not null;

    /// <summary>The job as it is to be run at a time: a stage decides what becomes of flags.</summary>
    public JobDefinition At(DateTimeOffset now) =>
        Stage == MigrationStage.Final ? this with { Flags = now < Cutover ? FlagPolicy.Exact : FlagPolicy.Yield } : this;

    /// <summary>What a pair must have been brought up to date under for its summary to count.</summary>
    public string Rules => $"{Messages.Fingerprint};{Flags};{Deletions}{(Labels == LabelPolicy.None ? "" : $";{Labels}")}{(Source.RemovesCopied ? ";removes" : "")}";

    /// <summary>Who is told how a run of this job ended.</summary>
    public ImmutableArray<Notice> Notices { get; init; } = [];

    /// <summary>The row of the file that the job was made of; null for one that was written out.</summary>
    public TableRow? Row { get; init; }

    /// <summary>Where this job's checkpoints, history and lock are.</summary>
    public StateLocation State { get; init; }

    /// <summary>The same of state in files: the directory, absolute.</summary>
    public required string StateDirectory
    {
        get => State.Directory;
        init => State = new StateLocation(value);
    }
}

/// <summary>Which folders take part, and where they go.</summary>
public sealed record FolderRules
{
    /// <summary>Globs over UTF-8 names, levels split by <c>/</c>: <c>*</c> within a level, <c>**</c> across levels, <c>?</c> one character.</summary>
    public ImmutableArray<string> Include { get; init; } = ["**"];

    public ImmutableArray<string> Exclude { get; init; } = [];

    /// <summary>Source folder → target folder, for the folder and what lies below it; the longest match counts.</summary>
    public ImmutableDictionary<FolderPath, FolderPath> Map { get; init; } = ImmutableDictionary<FolderPath, FolderPath>.Empty;

    /// <summary>The folder of the target that everything lies below, INBOX too; null for none. Goes in front of what <see cref="Map"/> gives.</summary>
    public FolderPath? Prefix { get; init; }

    public SpecialUsePolicy SpecialUse { get; init; } = SpecialUsePolicy.Names;

    /// <summary>
    /// Source and target are one account: what lies where the copies go (<see cref="Prefix"/>, or else where <see cref="Map"/> leads) is
    /// no source, else each run would copy the copies. A longer entry of the map takes a folder in all the same.
    /// </summary>
    public bool IsOneAccount { get; init; }

    /// <summary>Where there are any, they alone say which folder goes where.</summary>
    public ImmutableArray<FolderRoute> Routes { get; init; } = [];
}

public enum SpecialUsePolicy
{
    /// <summary>Folders keep their names.</summary>
    Names,

    /// <summary>Sent mail goes to the target's folder for sent mail, whatever its name; likewise drafts, trash, junk and archive.</summary>
    Match,
}

/// <summary>One folder's way. A source folder may have several, each for some of its messages.</summary>
/// <param name="Only">The messages that go this way; null for all.</param>
public sealed record FolderRoute(FolderPath Source, FolderPath Target, UidSet? Only = null);

/// <summary>Which messages take part; all conditions must hold. Null or empty: no condition.</summary>
public sealed record MessageFilter
{
    /// <summary>Received at or after this instant (INTERNALDATE).</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>Received before this instant.</summary>
    public DateTimeOffset? Before { get; init; }

    public long? MinSizeBytes { get; init; }

    public long? MaxSizeBytes { get; init; }

    /// <summary>Messages must have all of these.</summary>
    public FlagSet WithFlags { get; init; } = FlagSet.Empty;

    /// <summary>Messages must have none of these.</summary>
    public FlagSet WithoutFlags { get; init; } = FlagSet.Empty;

    /// <summary>What the header must say; with any of these, or with <see cref="MessageIds"/>, headers are read to choose.</summary>
    public ImmutableArray<HeaderRule> Headers { get; init; } = [];

    /// <summary>Messages must have one of these Message-IDs, without angle brackets.</summary>
    public ImmutableHashSet<string> MessageIds { get; init; } = [];

    /// <summary>Messages must be among these of the source folder.</summary>
    public UidSet? Uids { get; init; }

    public bool IsEmpty =>
        this is { Since: null, Before: null, MinSizeBytes: null, MaxSizeBytes: null, MessageIds.IsEmpty: true, Uids: null, Headers.IsEmpty: true } && !LooksAtFlags;

    public bool LooksAtHeaders => !Headers.IsEmpty || !MessageIds.IsEmpty;

    /// <summary>A change of flags may change the verdict.</summary>
    public bool LooksAtFlags => !WithFlags.IsEmpty || !WithoutFlags.IsEmpty;

    /// <summary>All conditions but those on <see cref="Headers"/> and <see cref="MessageIds"/>, which take the header.</summary>
    /// <param name="message">Listed with date and size. An unknown size meets every condition on sizes.</param>
    public bool Accepts(in MessageInfo message) =>
        (Since is null || message.InternalDate >= Since)
        && (Before is null || message.InternalDate < Before)
        && (message.Size < 0 || MinSizeBytes is null || message.Size >= MinSizeBytes)
        && (message.Size < 0 || MaxSizeBytes is null || message.Size <= MaxSizeBytes)
        && WithFlags.Except(message.Flags).IsEmpty
        && WithoutFlags.Except(message.Flags).Equals(WithoutFlags)
        && Uids?.Contains(message.Uid) != false;

    /// <summary>Equal texts let the same messages through; kept beside what was skipped.</summary>
    public string Fingerprint => IsEmpty
        ? "-"
        : string.Create(CultureInfo.InvariantCulture, $"{Since:O}|{Before:O}|{MinSizeBytes}|{MaxSizeBytes}|{WithFlags}|{WithoutFlags}") + Choice();

    /// <summary>They may be long, and only have to be told apart.</summary>
    private string Choice()
    {
        var choice = MessageIds.IsEmpty && Uids is null ? "" : Digest([.. MessageIds.Order(StringComparer.Ordinal), $"{Uids}"]);
        return Headers.IsEmpty ? choice : choice + Digest(Headers.Select(h => $"header {h}"));
    }

    private static string Digest(IEnumerable<string> lines) =>
        "|" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', lines))).AsSpan(0, 16));
}

public enum FlagPolicy
{
    /// <summary>What changes at the source is changed at the target; what a user changed at the target stays.</summary>
    Follow,

    /// <summary>Set when the message is copied, never touched again.</summary>
    Once,

    /// <summary>The target shows exactly the source's flags.</summary>
    Exact,

    /// <summary>As <see cref="Follow"/>, but a message whose flags were changed at the target keeps them, whatever changes at the source.</summary>
    Yield,
}

/// <summary>What is made of a store where one message lies in many folders at once (Gmail).</summary>
public enum LabelPolicy
{
    /// <summary>Each folder as it stands, and so a message as often as it has labels.</summary>
    None,

    /// <summary>Each folder as it stands, and of the one that holds all mail only what lies in no other.</summary>
    Folders,

    /// <summary>Each message once, its labels as keywords; where the target has labels itself, as labels.</summary>
    Keywords,
}

public enum AclPolicy
{
    /// <summary>Access rights are the target's own business.</summary>
    None,

    /// <summary>What other people may do with the source's folders they may do at the target.</summary>
    Copy,
}

public enum DeletionPolicy
{
    /// <summary>What vanishes at the source stays at the target.</summary>
    Keep,

    /// <summary>It is moved to a folder of the target.</summary>
    Trash,

    /// <summary>It is removed from the target.</summary>
    Mirror,
}

/// <summary>How much one run may remove at most before it stops: a number of messages, or a share of those the job has on the target.</summary>
public sealed record DeletionLimit(double Value, bool IsPercent)
{
    /// <summary>Small mailboxes would hit any percentage with their first deletion; this many are always let through by a percentage.</summary>
    public const int PercentFloor = 5;

    public bool Allows(long removals, long settled) =>
        IsPercent ? removals <= Math.Max(PercentFloor, settled * Value / 100) : removals <= Value;

    public override string ToString() => IsPercent ? $"{Value}%" : $"{Value}";
}
