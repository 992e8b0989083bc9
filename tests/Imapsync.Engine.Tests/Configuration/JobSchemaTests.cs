using Imapsync.Engine.Configuration;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Configuration;

/// <summary>The schema for editors. <see cref="JobFileFixture"/> checks that the schema accepts every valid job file of these tests.</summary>
public sealed class JobSchemaTests : JobFileFixture
{
    private const string Published = "docs/job-file.schema.json";

    private static readonly string Root = FindRoot();

    [Fact]
    public async Task The_published_schema_is_the_one_that_is_printed()
    {
        var path = Path.Combine(Root, Published);
        if (System.Environment.GetEnvironmentVariable("IMAPSYNC_TESTS_WRITE_DOCUMENTS") == "1")
            await System.IO.File.WriteAllTextAsync(path, JobSchemaDocument.Write(), TestContext.Current.CancellationToken);
        Assert.Equal(JobSchemaDocument.Write(), await System.IO.File.ReadAllTextAsync(path, TestContext.Current.CancellationToken));
    }

    [Fact]
    public void The_rich_sample_is_good() => JobSchemaAssert.Accepts(JobFileSamples.Rich);

    [Fact]
    public async Task Every_example_names_the_schema_and_is_good()
    {
        // A fleet's files have other formats, which the fleet's own tests check.
        var examples = FilesOf("examples").Where(f => f.EndsWith(".yaml", StringComparison.Ordinal) && Path.GetFileName(Path.GetDirectoryName(f)) != "fleet").ToList();
        Assert.NotEmpty(examples);
        foreach (var file in examples)
        {
            var text = await System.IO.File.ReadAllTextAsync(file, TestContext.Current.CancellationToken);
            Assert.StartsWith($"# yaml-language-server: $schema={Path.GetRelativePath(Path.GetDirectoryName(file)!, Path.Combine(Root, Published))}\n", text, StringComparison.Ordinal);
            JobSchemaAssert.Accepts(text, file);
        }
    }

    [Fact]
    public async Task Every_job_file_of_the_documents_is_good()
    {
        var count = 0;
        foreach (var file in FilesOf("docs").Where(f => f.EndsWith(".md", StringComparison.Ordinal)).Append(Path.Combine(Root, "README.md")))
        {
            foreach (var block in (await System.IO.File.ReadAllTextAsync(file, TestContext.Current.CancellationToken)).Split("```yaml\n").Skip(1).Select(b => b.Split("\n```")[0]))
            {
                // Excerpts of a job file have no 'jobs:' or mark an omission with '# …'; they can't be validated, so skip them.
                if (!block.Contains("jobs:", StringComparison.Ordinal) || block.Contains("# …", StringComparison.Ordinal))
                    continue;
                JobSchemaAssert.Accepts(block, file);
                count++;
            }
        }

        Assert.InRange(count, 3, int.MaxValue);
    }

    [Theory]
    [InlineData("jobs: []")]
    [InlineData("job: []")]
    [InlineData("jobs: alice")]
    [InlineData("jobs: [{ name: alice, source: { url: maildir:a } }]")]
    [InlineData("jobs: [{ name: alice, source: { url: maildir:a }, target: maildir:b }]")]
    [InlineData("jobs: [{ name: alice, source: { url: maildir:a }, target: { } }]")]
    [InlineData("jobs: [{ name: alice, source: { url: maildir:a }, target: { user: a } }]")]
    [InlineData("jobs: [{ name: alice, source: { url: maildir:a }, target: { url: ftp://b } }]")]
    [InlineData("jobs: [{ name: alice, source: { url: maildir:a }, target: { provider: gmial, user: a } }]")]
    [InlineData("jobs: [{ name: -alice, source: { url: maildir:a }, target: { url: maildir:b } }]")]
    [InlineData("jobs: [{ name: alice, source: { url: maildir:a, tls: off }, target: { url: maildir:b } }]")]
    [InlineData("jobs: [{ name: alice, source: { url: maildir:a }, target: { url: maildir:b }, flags: folow }]")]
    [InlineData("jobs: [{ name: alice, source: { url: maildir:a }, target: { url: maildir:b }, repair: yes }]")]
    [InlineData("jobs: [{ name: alice, source: { url: maildir:a }, target: { url: maildir:b }, state: }]")]
    [InlineData("jobs: [{ name: alice, source: { url: maildir:a }, target: { url: maildir:b }, folders: { exclude: Junk } }]")]
    [InlineData("jobs: [{ name: alice, source: { url: maildir:a }, target: { url: maildir:b }, folders: { map: { a: [b] } } }]")]
    [InlineData("jobs: [{ name: alice, source: { url: maildir:a }, target: { url: maildir:b }, limits: { connections: 2 } }]")]
    [InlineData("jobs: [{ name: alice, source: { url: maildir:a, limits: { byte_per_day: 2 } }, target: { url: maildir:b } }]")]
    public void What_the_reader_refuses_by_its_form_the_schema_refuses_too(string yaml)
    {
        Assert.NotEmpty(Errors(yaml));
        JobSchemaAssert.Refuses(yaml);
    }

    private static IEnumerable<string> FilesOf(string name) => System.IO.Directory.EnumerateFiles(Path.Combine(Root, name), "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal);

    private static string FindRoot()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!System.IO.File.Exists(Path.Combine(directory.FullName, "imapsync.sln")))
            directory = directory.Parent!;
        return directory.FullName;
    }
}
