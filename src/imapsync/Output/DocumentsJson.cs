using Imapsync.CommandLine.Commands;

namespace Imapsync.CommandLine.Output;

/// <summary>The shape of <c>check --output json</c>.</summary>
internal sealed record CheckJson(IReadOnlyList<JobCheckJson> Jobs);

internal sealed record JobCheckJson(string Name, EndpointCheckJson Source, EndpointCheckJson Target);

/// <param name="Error">Null where all is well.</param>
internal sealed record EndpointCheckJson(string Url, string? Error, IReadOnlyList<FactJson> Facts)
{
    public static EndpointCheckJson Of(EndpointCheck check) => new(
        check.Endpoint.Display, check.Failure?.Message, [.. check.Facts.Select(f => new FactJson(f.Name, f.Value, f.IsWarning))]);
}

internal sealed record FactJson(string Name, string Value, bool Warning);

/// <summary>The shape of <c>folders --output json</c>.</summary>
internal sealed record MappingJson(IReadOnlyList<JobMappingJson> Jobs);

/// <param name="Error">Why the folders could not be listed; null where they could.</param>
internal sealed record JobMappingJson(string Name, string? Error, IReadOnlyList<PairJson> Folders, IReadOnlyList<string> Excluded);

/// <param name="TargetMessages">Null where the target folder does not exist yet.</param>
/// <param name="SourceBytes">Null unless <c>--sizes</c> was given.</param>
internal sealed record PairJson(string Source, string Target, long SourceMessages, long? TargetMessages, long? SourceBytes);

/// <summary>The shape of <c>snapshots --output json</c>; oldest first.</summary>
internal sealed record SnapshotsJson(string Directory, IReadOnlyList<SnapshotJson> Snapshots);

/// <param name="Mail">The Maildir tree.</param>
/// <param name="Came">Messages that the one before does not hold; of the first, all.</param>
internal sealed record SnapshotJson(string Name, DateTimeOffset Taken, string Mail, int Folders, int Messages, int Came, int Went, int OtherFlags);
