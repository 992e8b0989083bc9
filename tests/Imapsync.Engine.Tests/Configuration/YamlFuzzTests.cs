using System.Text;
using Imapsync.Engine.Configuration;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Configuration;

public sealed class YamlFuzzTests
{
    private const int Iterations = 4000;

    [Fact]
    public void Damaged_files_give_configuration_errors_and_nothing_else()
    {
        var seed = Seeds.Next();
        var random = new Random(seed);
        for (var i = 0; i < Iterations; i++)
        {
            var text = Damage(random);
            try
            {
                JobFileReader.Parse("/jobs/fuzz.yaml", text, new JobFileOptions { StateRoot = "/state", Set = i % 3 == 0 ? ["alice.messages.since=x", text] : [] });
            }
            catch (ConfigurationException)
            {
            }
            catch (Exception e)
            {
                Assert.Fail($"seed {seed}, iteration {i}: {e}\n--- text:\n{text}");
            }
        }
    }

    [Theory]
    [InlineData("[")]
    [InlineData("{a: ")]
    [InlineData("- ")]
    [InlineData("? ")]
    public void Deep_nesting_is_refused(string opening)
    {
        var text = string.Concat(Enumerable.Repeat(opening, 20_000));
        Assert.Throws<ConfigurationException>(() => JobFileReader.Parse("x", "jobs: " + text, new JobFileOptions()));
        Assert.Throws<ConfigurationException>(() => JobFileReader.Parse("x", text, new JobFileOptions()));
    }

    [Fact]
    public void Thousands_of_jobs_are_read()
    {
        var text = new StringBuilder("jobs:\n");
        for (var i = 0; i < 5000; i++)
            text.Append($"  - name: user{i}\n    source: {{ url: 'mbox:in/{i}' }}\n    target: {{ url: 'maildir:out/{i}' }}\n");
        Assert.Equal(5000, JobFileReader.Parse("/jobs/many.yaml", text.ToString(), new JobFileOptions { StateRoot = "/state" }).Jobs.Length);
    }

    private static string Damage(Random random)
    {
        var text = new StringBuilder(JobFileSamples.Rich);
        for (var n = random.Next(1, 6); n > 0; n--)
        {
            var at = random.Next(text.Length);
            switch (random.Next(5))
            {
                case 0:
                    text.Insert(at, JobFileSamples.Pieces[random.Next(JobFileSamples.Pieces.Length)]);
                    break;
                case 1:
                    text.Remove(at, Math.Min(random.Next(1, 12), text.Length - at)).Append(' ');
                    break;
                case 2:
                    text[at] = (char)random.Next(0x180);
                    break;
                case 3:
                    text.Insert(at, text.ToString(at, Math.Min(random.Next(40), text.Length - at)));
                    break;
                default:
                    text.Length = Math.Max(1, at);
                    break;
            }
        }

        return text.ToString();
    }
}
