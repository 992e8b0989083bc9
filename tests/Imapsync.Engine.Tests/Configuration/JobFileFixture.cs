using Imapsync.Engine.Configuration;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Tests.Configuration;

/// <summary>Base of tests that read job files from texts, in a directory of their own.</summary>
public abstract class JobFileFixture : IDisposable
{
    protected JobFileFixture() => Directory = System.IO.Directory.CreateTempSubdirectory("imapsync-jobs-").FullName;

    protected string Directory { get; }

    protected Dictionary<string, string> Environment { get; } = new() { ["HOME"] = "/home/alice", ["ALICE_PASSWORD"] = "hunter2" };

    /// <summary>
    /// Returns the text of a job from a mailbox to a Maildir, with the given texts added to the source, the target and the job.
    /// </summary>
    protected static string Job(string source = "", string target = "", string job = "", string name = "alice") => $"""
          - name: {name}
            source:
              url: imaps://alice@imap.example.com
              {(source.Contains("password", StringComparison.Ordinal) || source.Contains("external", StringComparison.Ordinal) ? "#" : "password_env: ALICE_PASSWORD")}
              {source}
            target:
              url: maildir:backup/{name}
              {target}
            {job}

        """;

    protected static string File(params string[] jobs) => "jobs:\n" + string.Concat(jobs);

    protected JobFile Read(string text, params string[] set) => Read(text, new JobFileOptions { Environment = Environment, Set = set });

    /// <summary>
    /// Reads a job file. The schema for editors must accept the file too, unless settings come from the command line or the environment.
    /// </summary>
    protected JobFile Read(string text, JobFileOptions options)
    {
        var read = JobFileReader.Parse(Path.Combine(Directory, "job.yaml"), text, options);
        if (options.Set.Count == 0 && !options.Environment.Keys.Any(k => k.StartsWith("IMAPSYNC__", StringComparison.Ordinal)))
            JobSchemaAssert.Accepts(text);
        return read;
    }

    protected IReadOnlyList<string> Errors(string text, params string[] set) =>
        [.. Assert.Throws<ConfigurationException>(() => Read(text, set)).Errors.Select(e => e.ToString().Replace(Directory + "/", "", StringComparison.Ordinal))];

    /// <summary>Returns the only mistake in the file; fails if there are more or none.</summary>
    protected string Error(string text, params string[] set) => Assert.Single(Errors(text, set));

    protected static ImapEndpoint Source(JobFile file) => Assert.IsType<ImapEndpoint>(file.Jobs[0].Source);

    public void Dispose()
    {
        System.IO.Directory.Delete(Directory, recursive: true);
        GC.SuppressFinalize(this);
    }
}
