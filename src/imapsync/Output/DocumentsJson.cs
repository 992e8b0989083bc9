using Imapsync.Engine.Checking;
using Imapsync.Engine.Preflight;

namespace Imapsync.CommandLine.Output;

/// <summary>The JSON document of <c>check --output json</c>.</summary>
/// <param name="BadRows">The errors in rows of account lists from which no job could be created.</param>
internal sealed record CheckJson(IReadOnlyList<JobCheckJson> Jobs, IReadOnlyList<string> BadRows);

/// <param name="Result"><c>ok</c> or <c>failed</c>.</param>
/// <param name="Size">The amount of mail; null when the folders could not be read.</param>
internal sealed record JobCheckJson(string Name, string Result, EndpointCheckJson Source, EndpointCheckJson Target, IReadOnlyList<string> Problems, MailboxSizeJson? Size)
{
    public static JobCheckJson Of(AccountCheck check) => new(
        check.Job, CheckCsv.WordOf(check), EndpointCheckJson.Of(check.Source), EndpointCheckJson.Of(check.Target), check.Problems,
        check.Size is { } size ? new(size.Folders, size.Messages, size.MessagesLeft, size.Bytes, size.BytesLeft, size.Uncounted, size.Unsized) : null);
}

/// <param name="MessagesLeft">How many messages are still to be copied, computed only from the folders' message counts.</param>
/// <param name="Bytes">Null unless <c>--sizes</c> was given.</param>
/// <param name="Uncounted">How many folders do not report their number of messages; no sum includes them.</param>
/// <param name="Unsized">How many messages have no known size; no sum of octets includes them.</param>
internal sealed record MailboxSizeJson(int Folders, long Messages, long MessagesLeft, long? Bytes, long? BytesLeft, int Uncounted, long Unsized);

/// <param name="Error">Why the endpoint can't be used; null when it can.</param>
internal sealed record EndpointCheckJson(string Url, string? Error, IReadOnlyList<FactJson> Facts)
{
    public static EndpointCheckJson Of(SideCheck check) => new(
        check.Endpoint.Display, check.Failure?.Message, [.. check.Facts.Select(f => new FactJson(f.Name, f.Value, f.IsWarning))]);
}

internal sealed record FactJson(string Name, string Value, bool Warning);

/// <summary>The JSON document of <c>folders --output json</c>.</summary>
/// <param name="BadRows">The errors in rows of account lists from which no job could be created.</param>
internal sealed record MappingJson(IReadOnlyList<JobMappingJson> Jobs, IReadOnlyList<string> BadRows);

/// <param name="Error">Why the folders could not be listed; null when they could.</param>
internal sealed record JobMappingJson(string Name, string? Error, IReadOnlyList<PairJson> Folders, IReadOnlyList<string> Excluded);

/// <param name="SourceMessages">Null if the source does not report the number.</param>
/// <param name="TargetMessages">Null if the target folder does not exist yet or does not report the number.</param>
/// <param name="SourceBytes">Null unless <c>--sizes</c> was given.</param>
/// <param name="SourceUnsized">How many messages have no known size; <paramref name="SourceBytes"/> does not include them.</param>
internal sealed record PairJson(string Source, string Target, long? SourceMessages, bool TargetExists, long? TargetMessages, long? SourceBytes, long? SourceUnsized);

/// <summary>The JSON document of <c>snapshots --output json</c>, oldest snapshot first.</summary>
internal sealed record SnapshotsJson(string Directory, IReadOnlyList<SnapshotJson> Snapshots);

/// <param name="Mail">The path of the Maildir tree.</param>
/// <param name="Came">How many messages are new since the previous snapshot; for the first snapshot, all.</param>
/// <param name="Went">How many messages only the previous snapshot contains.</param>
internal sealed record SnapshotJson(string Name, DateTimeOffset Taken, string Mail, int Folders, int Messages, int Came, int Went, int OtherFlags);
