using Imapsync.Engine.Configuration;

namespace Imapsync.CommandLine.Manual;

/// <summary>The manual page imapsync-job(5): the keys of a job file, generated from the tables by which job files are read.</summary>
internal static class JobFilePage
{
    public const string Name = "imapsync-job";

    private const string Sample = """
        jobs:
          - name: alice
            source:
              url: imaps://alice@imap.example.com
              password_file: /etc/imapsync/alice.password
            target:
              url: maildir:/var/backups/mail/alice
            folders:
              exclude: ["Junk", "Lists/**"]
            deletions: trash
        """;

    public static ManualPage Create() => new(Name, 5, "the job file of imapsync",
    [
        new("DESCRIPTION",
        [
            new Paragraph("A job file is YAML. It has jobs, each with a source and a target. All mistakes in it are reported at once by imapsync check FILE, each with its line; "
                + "imapsync schema prints a JSON Schema of it for editors. A relative path is relative to the file."),
        ]),
        new("EXAMPLE", [new Verbatim(Sample)]),
        new("KEYS", [.. Blocks("", JobKeys.Root, [])]),
        new("SEE ALSO", [new Paragraph("imapsync(1), imapsync-init(1), imapsync-check(1), imapsync-schema(1)")]),
    ]);

    /// <summary>Describes a section's keys, and then the keys of each section inside it, under that section's path.</summary>
    /// <param name="told">
    /// The lists of keys described so far, with their paths. Source and target share one list, which is described only once.
    /// </param>
    private static IEnumerable<ManualBlock> Blocks(string path, IReadOnlyList<JobKey> keys, Dictionary<IReadOnlyList<JobKey>, string> told)
    {
        foreach (var key in keys)
            yield return new Definition(key.Name, Meaning(key));
        foreach (var key in keys.Where(k => k.Keys.Count > 0))
        {
            var below = path.Length == 0 ? key.Name : $"{path}.{key.Name}";
            yield return new SubHeading(below);
            if (told.TryGetValue(key.Keys, out var other))
            {
                yield return new Paragraph($"The same keys as {other}.");
                continue;
            }

            told[key.Keys] = below;
            foreach (var block in Blocks(below, key.Keys, told))
                yield return block;
        }
    }

    private static string Meaning(JobKey key)
    {
        var text = key.IsRequired ? $"{key.Purpose} Required." : key.Purpose;
        return $"{text} {key.Value}".TrimStart();
    }
}
