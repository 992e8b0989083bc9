using System.Globalization;
using System.Text.Json.Serialization;
using Imapsync.Serving.Finding;

namespace Imapsync.CommandLine.Output;

/// <summary>A message found by <c>find</c>, as one line of JSON.</summary>
/// <param name="Received">INTERNALDATE in ISO 8601.</param>
/// <param name="Date">The date from the Date header field; null when there is none or it is invalid.</param>
/// <param name="Attachments">The names of the attachments; null when the search did not read the message itself.</param>
internal sealed record FoundJson(
    string Id, string Folder, string Received, long Bytes, IReadOnlyList<string> Flags, string? Subject, string? From, string? To, string? Date, string? MessageId,
    IReadOnlyList<string>? Attachments)
{
    public static FoundJson Of(FoundMessage message) => new(
        message.Id.ToString(), message.Id.Folder.ToString(), message.Received.ToString("O", CultureInfo.InvariantCulture), message.SizeBytes, [.. message.Flags.Names],
        message.Subject, message.From, message.To, message.Date?.ToString("O", CultureInfo.InvariantCulture), message.MessageId, message.Attachments);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(FoundJson))]
internal sealed partial class FoundJsonContext : JsonSerializerContext;
