using Imapsync.Engine.Jobs;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests.Model;

/// <summary>Writes the job of a test round as a job file for the program.</summary>
internal sealed class JobText(JobDefinition job, FaultyLine source, FaultyLine? target)
{
    public const string PasswordVariable = "MODEL_PASSWORD";

    public string Write(TempDir dir) => dir.Write("job.yaml", $"""
        jobs:
          - name: {job.Name}
            source:
              {source.Lines(PasswordVariable)}
            target:
              {target?.Lines(PasswordVariable) ?? "url: " + job.Target.Display}
            state: {job.StateDirectory}
            flags: {job.Flags.ToString().ToLowerInvariant()}
            deletions: {job.Deletions.ToString().ToLowerInvariant()}
            deletion_limit: 100%

        """);
}
