using System.Globalization;
using System.Text;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;

namespace Imapsync.Servers.Tests.World;

/// <summary>Writes the job of a test round as a job file for the program.</summary>
internal static class WorldJobText
{
    public const string PasswordVariable = "WORLD_PASSWORD";

    public static string Of(JobDefinition job)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"""
            jobs:
              - name: {job.Name}
                source:
                  {Lines(job.Source)}
                target:
                  {Lines(job.Target)}
                state: {job.StateDirectory}
                flags: {job.Flags.ToString().ToLowerInvariant()}
                deletions: {job.Deletions.ToString().ToLowerInvariant()}
                deletion_limit: 100%
                folders:
                  include: [{string.Join(", ", job.Folders.Include.Select(g => $"\"{g}\""))}]
                  exclude: [{string.Join(", ", job.Folders.Exclude.Select(g => $"\"{g}\""))}]

            """);
        foreach (var condition in Conditions(job.Messages))
            text.Append(CultureInfo.InvariantCulture, $"    messages: {{ {condition} }}\n");
        return text.ToString();
    }

    private static IEnumerable<string> Conditions(MessageFilter filter)
    {
        if (filter.Since is { } since)
            yield return $"since: {since.UtcDateTime:yyyy-MM-ddTHH:mm:ssZ}";
        if (filter.Before is { } before)
            yield return $"before: {before.UtcDateTime:yyyy-MM-ddTHH:mm:ssZ}";
        if (filter.MaxSizeBytes is { } most)
            yield return $"max_size: {most}";
    }

    private static string Lines(Endpoint endpoint) => endpoint is not ImapEndpoint account
        ? "url: " + endpoint.Display
        : $"""
            url: imap://{account.User}@127.0.0.1:{account.Port}
                  tls: none
                  password_env: {PasswordVariable}
                  connections: {account.Connections}
            """;
}
