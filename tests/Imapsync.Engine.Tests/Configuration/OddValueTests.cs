using Imapsync.Engine.Configuration;

namespace Imapsync.Engine.Tests.Configuration;

/// <summary>Any value of a key is either accepted or reported as a mistake with its position, and none makes the program crash.</summary>
public sealed class OddValueTests : JobFileFixture
{
    private static readonly string[] Values =
        ["''", "' '", "~", "'-'", "'*'", "'/'", "':'", "'0'", "'-1'", "'99999999999999999999'", "'1e999'", "'\u0130'", "\"\\0\"", "'2026-02-30'", "[]", "['']", "{}", "{ '': '' }", "[{}]", $"'{new string('x', 5000)}'"];

    [Fact]
    public void Odd_values_of_any_key_are_taken_or_told()
    {
        var (tried, defects) = (0, new List<string>());
        foreach (var (path, key) in Keys(JobSchema.Job, "job").Concat(Keys(JobSchema.Root.RemoveAll(k => k.Name == "jobs"), "root")))
        {
            foreach (var value in Values)
            {
                var text = Text(path, key, value);
                try
                {
                    JobFileReader.Parse(Path.Combine(Directory, "job.yaml"), text, new JobFileOptions { Environment = Environment });
                }
                catch (ConfigurationException e)
                {
                    Assert.All(e.Errors, error => Assert.NotEqual("", error.ToString()));
                }
                catch (Exception e)
                {
                    defects.Add($"{e.GetType().Name} {e.StackTrace?.Split('\n')[0]}\n{text}");
                }

                tried++;
            }
        }

        Assert.True(defects.Count == 0, string.Join('\n', defects));
        Assert.InRange(tried, 1500, int.MaxValue);
    }

    /// <summary>Each duration is used as the due time of some timer, and a timer accepts at most 49.7 days.</summary>
    [Fact]
    public void A_time_longer_than_a_timer_takes_is_refused_for_every_key()
    {
        // The target of these files is a Maildir, which has no settings for waiting.
        var times = Keys(JobSchema.Job, "job").Where(k => SettingText.TryDuration(k.Key.Example, out _) && !k.Path.Contains("target")).ToList();
        Assert.InRange(times.Count, 8, 50);
        foreach (var (path, key) in times)
        {
            foreach (var value in new[] { "49.8d", "60d", "366d" })
            {
                var text = Text(path, key, value).Replace("for_each: { ", "for_each: { command: 'true', ", StringComparison.Ordinal).Replace("notify: [{ ", "notify: [{ command: 'true', ", StringComparison.Ordinal);
                Assert.Contains(Errors(text), e => e.Contains("is no length of time for", StringComparison.Ordinal) || e.Contains("this is too long for", StringComparison.Ordinal));
            }
        }
    }

    /// <summary>Returns each key together with the keys that lead to it.</summary>
    private static IEnumerable<(string[] Path, SettingKey Key)> Keys(IEnumerable<SettingKey> keys, params string[] above)
    {
        foreach (var key in keys)
        {
            yield return (above, key);
            foreach (var inner in Keys(key.Keys, [.. above, key.Shape is SettingShape.Sections or SettingShape.NamedSections ? key.Name + "[]" : key.Name]))
                yield return inner;
        }
    }

    /// <summary>A job file in YAML's flow style that is valid except for the given value.</summary>
    private static string Text(string[] path, SettingKey key, string value)
    {
        var inner = $"{key.Name}: {value}";
        foreach (var step in path[1..].Reverse())
        {
            var rest = step switch
            {
                "source" when key.Name != "url" => "url: imaps://alice@imap.example.com, ",
                "target" when key.Name != "url" => "url: maildir:backup/alice, ",
                _ => "",
            };
            inner = step.EndsWith("[]", StringComparison.Ordinal)
                ? step[..^2] is "hosts" ? $"hosts: {{ imap.example.com: {{ {inner} }} }}" : $"{step[..^2]}: [{{ {inner} }}]"
                : $"{step}: {{ {rest}{inner} }}";
        }

        string[] usual = ["name: alice", "source: { url: imaps://alice@imap.example.com, password_env: ALICE_PASSWORD }", "target: { url: maildir:backup/alice }"];
        var isOfRoot = path[0] == "root";
        var job = string.Join(", ", usual.Where(u => isOfRoot || u[..u.IndexOf(':', StringComparison.Ordinal)] != inner[..inner.IndexOf(':', StringComparison.Ordinal)]).Concat(isOfRoot ? [] : [inner]));
        return $"jobs: [{{ {job} }}]\n{(isOfRoot ? inner : "")}\n";
    }
}
