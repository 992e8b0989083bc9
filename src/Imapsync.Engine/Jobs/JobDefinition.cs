using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Imapsync.Engine.Mail;
using Imapsync.Engine.State;
using Imapsync.Imap;

namespace Imapsync.Engine.Jobs;

/// <summary>
/// One validated job of a job file. The record is immutable. Instead of secrets it holds references to where they can be read.
/// </summary>
public sealed record JobDefinition(string Name, Endpoint Source, Endpoint Target)
{
    public FolderRules Folders { get; init; } = new();

    public MessageFilter Messages { get; init; } = new();

    public FlagPolicy Flags { get; init; } = FlagPolicy.Follow;

    public MigrationStage Stage { get; init; }

    /// <summary>The time from which the target is in use instead of the source; only for <see cref="MigrationStage.Final"/>.</summary>
    public DateTimeOffset? Cutover { get; init; }

    /// <summary>Whether the most recent messages are copied first.</summary>
    public bool NewestFirst { get; init; }

    public LabelPolicy Labels { get; init; } = LabelPolicy.None;

    public DeletionPolicy Deletions { get; init; } = DeletionPolicy.Keep;

    public DeletionLimit DeletionLimit { get; init; } = new(10, IsPercent: true);

    /// <summary>The target folder into which <see cref="DeletionPolicy.Trash"/> moves removed messages.</summary>
    public FolderPath TrashFolder { get; init; } = new("Removed");

    public AclPolicy Acl { get; init; } = AclPolicy.None;

    /// <summary>
    /// Maps the source's user identifiers to the target's for <see cref="AclPolicy.Copy"/>. An identifier not listed stays the same. One
    /// mapped to an empty text is left out.
    /// </summary>
    public ImmutableDictionary<string, string> AclMap { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>
    /// Whether a message that the target rejects as malformed may be changed until it is accepted. Each change is reported.
    /// </summary>
    public bool Repair { get; init; }

    public RetrySettings Retry { get; init; } = new();

    /// <summary>How long a run may take before it stops in an orderly way; null for no limit.</summary>
    public TimeSpan? MaxDuration { get; init; }

    /// <summary>The policy for snapshots of the target; null for none.</summary>
    public SnapshotPolicy? Snapshots { get; init; }

    /// <summary>
    /// Whether an index of the words in the target's messages is kept for searching. Each run adds its new messages to the index.
    /// </summary>
    public bool HasIndex { get; init; }

    public WatchSettings Watch { get; init; } = new();

    /// <summary>
    /// The backup that this job restores; null for other jobs. A restore only adds missing messages to the target, including those that
    /// were restored before and lost since. It renames no folder, and creates only folders that receive messages.
    /// </summary>
    public RestoreOrigin? Restores { get; init; }

    public bool IsRestore => Restores is not null;

    /// <summary>
    /// Returns the job with the settings in force at the given time: in the final stage of a migration, the flag policy changes at the
    /// cut-over.
    /// </summary>
    public JobDefinition At(DateTimeOffset now) =>
        Stage == MigrationStage.Final ? this with { Flags = now < Cutover ? FlagPolicy.Exact : FlagPolicy.Yield } : this;

    /// <summary>
    /// A text with the settings that affect how a folder pair is copied. The pair's saved summary is valid only if it was written under the
    /// same settings.
    /// </summary>
    public string Rules => $"{Messages.Fingerprint};{Flags};{Deletions}{(Labels == LabelPolicy.None ? "" : $";{Labels}")}{(Source.RemovesCopied ? ";removes" : "")}";

    /// <summary>The recipients who are notified when a run of this job ends.</summary>
    public ImmutableArray<Notice> Notices { get; init; } = [];

    /// <summary>The CSV row from which the job was created; null for a job written out in the job file.</summary>
    public TableRow? Row { get; init; }

    /// <summary>Where this job's checkpoints, history and lock are.</summary>
    public StateLocation State { get; init; }

    /// <summary>The absolute path of the state directory, for state that is kept in files.</summary>
    public required string StateDirectory
    {
        get => State.Directory;
        init => State = new StateLocation(value);
    }
}

/// <summary>Determines which folders take part and where they go.</summary>
public sealed record FolderRules
{
    /// <summary>
    /// Globs for UTF-8 folder names with levels separated by <c>/</c>: <c>*</c> matches within a level, <c>**</c> across levels, <c>?</c>
    /// one character.
    /// </summary>
    public ImmutableArray<string> Include { get; init; } = ["**"];

    public ImmutableArray<string> Exclude { get; init; } = [];

    /// <summary>Maps source folders to target folders, including the folders below them. The longest match applies.</summary>
    public ImmutableDictionary<FolderPath, FolderPath> Map { get; init; } = ImmutableDictionary<FolderPath, FolderPath>.Empty;

    /// <summary>
    /// The target folder that all others, including INBOX, are placed below; null for none. It is prepended to the results of <see
    /// cref="Map"/>.
    /// </summary>
    public FolderPath? Prefix { get; init; }

    public SpecialUsePolicy SpecialUse { get; init; } = SpecialUsePolicy.Names;

    /// <summary>
    /// Whether source and target are the same account. Folders at or below <see cref="Prefix"/>, or else the targets in <see cref="Map"/>,
    /// are then not copied, because each run would copy the copies again. Exception: a folder below a target in <see cref="Map"/> is copied
    /// if a longer map entry names it or one of its parents.
    /// </summary>
    public bool IsOneAccount { get; init; }

    /// <summary>Explicit routes. If there are any, they alone determine which folder goes where.</summary>
    public ImmutableArray<FolderRoute> Routes { get; init; } = [];
}

public enum SpecialUsePolicy
{
    /// <summary>Folders keep their names, whatever their special use.</summary>
    Names,

    /// <summary>
    /// Sent mail goes to the target's folder for sent mail, whatever its name; the same applies to drafts, trash, junk and archive.
    /// </summary>
    Match,
}

/// <summary>The route of one source folder. A folder may have several routes, each for some of its messages.</summary>
/// <param name="Only">The messages on this route; null for all.</param>
public sealed record FolderRoute(FolderPath Source, FolderPath Target, UidSet? Only = null);

/// <summary>Selects messages. All conditions must hold; a null or empty condition is ignored.</summary>
public sealed record MessageFilter
{
    /// <summary>Received at or after this instant (INTERNALDATE).</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>Received before this instant.</summary>
    public DateTimeOffset? Before { get; init; }

    public long? MinSizeBytes { get; init; }

    public long? MaxSizeBytes { get; init; }

    /// <summary>The flags that a message must all have.</summary>
    public FlagSet WithFlags { get; init; } = FlagSet.Empty;

    /// <summary>The flags of which a message must have none.</summary>
    public FlagSet WithoutFlags { get; init; } = FlagSet.Empty;

    /// <summary>
    /// The conditions on the message's header. With any of these, or with <see cref="MessageIds"/>, headers are read to select messages.
    /// </summary>
    public ImmutableArray<HeaderRule> Headers { get; init; } = [];

    /// <summary>Messages must have one of these Message-IDs, without angle brackets.</summary>
    public ImmutableHashSet<string> MessageIds { get; init; } = [];

    /// <summary>The UIDs in the source folder of the messages that may be selected; null for all.</summary>
    public UidSet? Uids { get; init; }

    public bool IsEmpty =>
        this is { Since: null, Before: null, MinSizeBytes: null, MaxSizeBytes: null, MessageIds.IsEmpty: true, Uids: null, Headers.IsEmpty: true } && !LooksAtFlags;

    public bool LooksAtHeaders => !Headers.IsEmpty || !MessageIds.IsEmpty;

    /// <summary>Whether a flag change may change the filter's result.</summary>
    public bool LooksAtFlags => !WithFlags.IsEmpty || !WithoutFlags.IsEmpty;

    /// <summary>
    /// Returns true if the message meets all conditions except those on <see cref="Headers"/> and <see cref="MessageIds"/>, which need its
    /// header.
    /// </summary>
    /// <param name="message">A message listed with date and size. An unknown date or size meets every condition on it.</param>
    public bool Accepts(in MessageInfo message) =>
        (Since is null || message.InternalDate == default || message.InternalDate >= Since)
        && (Before is null || message.InternalDate < Before)
        && (message.Size < 0 || MinSizeBytes is null || message.Size >= MinSizeBytes)
        && (message.Size < 0 || MaxSizeBytes is null || message.Size <= MaxSizeBytes)
        && WithFlags.Except(message.Flags).IsEmpty
        && WithoutFlags.Except(message.Flags).Equals(WithoutFlags)
        && Uids?.Contains(message.Uid) != false;

    /// <summary>
    /// A text that identifies the filter: filters with equal texts accept the same messages. The checkpoint stores it, so that skipped
    /// messages are considered again after the filter was changed.
    /// </summary>
    public string Fingerprint => IsEmpty
        ? "-"
        : string.Create(CultureInfo.InvariantCulture, $"{Since:O}|{Before:O}|{MinSizeBytes}|{MaxSizeBytes}|{WithFlags}|{WithoutFlags}") + Choice();

    /// <summary>
    /// Returns digests of the UIDs, Message-IDs and header conditions. Digests suffice, because only a difference matters.
    /// </summary>
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
    /// <summary>Flag changes at the source are applied to the target; changes made by a user at the target remain.</summary>
    Follow,

    /// <summary>Flags are set when the message is copied, and never changed afterwards.</summary>
    Once,

    /// <summary>The target always has exactly the source's flags.</summary>
    Exact,

    /// <summary>
    /// As <see cref="Follow"/>, but a message whose flags were changed at the target keeps them, whatever changes at the source.
    /// </summary>
    Yield,
}

/// <summary>How to handle a store where one message can be in many folders (Gmail).</summary>
public enum LabelPolicy
{
    /// <summary>Every folder is copied unchanged, so a message is copied once for each of its labels.</summary>
    None,

    /// <summary>
    /// Every folder is copied unchanged, except the folder with all mail: of its messages only those in no other folder are copied.
    /// </summary>
    Folders,

    /// <summary>Each message is copied once, with its labels as keywords, or as labels if the target supports labels.</summary>
    Keywords,
}

public enum AclPolicy
{
    /// <summary>Access rights are not copied.</summary>
    None,

    /// <summary>The rights of other users to the source's folders are copied to the target's.</summary>
    Copy,
}

public enum DeletionPolicy
{
    /// <summary>A message that vanishes at the source stays at the target.</summary>
    Keep,

    /// <summary>A message that vanishes at the source is moved to another folder of the target.</summary>
    Trash,

    /// <summary>A message that vanishes at the source is deleted from the target.</summary>
    Mirror,
}

/// <summary>
/// The most messages that one run may remove before it stops: a number, or a percentage of the job's messages at the target.
/// </summary>
public sealed record DeletionLimit(double Value, bool IsPercent)
{
    /// <summary>
    /// The number of deletions that a percentage always allows, since the first deletion in a small mailbox would exceed any percentage.
    /// </summary>
    public const int PercentFloor = 5;

    public bool Allows(long removals, long settled) =>
        IsPercent ? removals <= Math.Max(PercentFloor, settled * Value / 100) : removals <= Value;

    public override string ToString() => IsPercent ? $"{Value}%" : $"{Value}";
}
