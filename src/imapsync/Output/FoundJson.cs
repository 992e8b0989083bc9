using System.Globalization;
using System.Text.Json.Serialization;
using Imapsync.Serving.Finding;

namespace Imapsync.CommandLine.Output;

/// <summary>A message that <c>find</c> found, as a line of JSON.</summary>
/// <param name="Received">INTERNALDATE, ISO 8601.</param>
/// <param name="Date">What the Date field says; null where it says nothing that can be read.</param>
/// <param name="Attachments">Null where no condition looked into the message.</param>
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
