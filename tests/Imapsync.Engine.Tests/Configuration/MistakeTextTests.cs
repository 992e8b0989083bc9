using Imapsync.Engine.Configuration;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Configuration;

/// <summary>The text of a mistake: its position, the whole reason, and the remedy in words that can be pasted into the file.</summary>
public sealed class MistakeTextTests : JobFileFixture
{
    [Theory]
    [InlineData("jobs:\n\t- name: a\n", "job.yaml:2:1: this is not valid YAML: a tab indents this line; indent with spaces")]
    [InlineData("jobs:\n  - name: a\n\tsource: b\n", "job.yaml:3:1: this is not valid YAML: a tab indents this line; indent with spaces")]
    [InlineData("jobs:\n  - name: a\n  \tsource: b\n", "job.yaml:3:3: this is not valid YAML: a tab indents this line; indent with spaces")]
    [InlineData("jobs:\n  - name: a\n   source: b\n", "job.yaml:3:4: this is not valid YAML: While parsing a block collection, did not find expected '-' indicator; look at the indentation of this line and of those above it")]
    [InlineData("jobs:\n  - name: a\n    x: b: c\n", "job.yaml:3:9: this is not valid YAML: While scanning a plain scalar value, found invalid mapping; put a value with ': ' in it in quotes")]
    [InlineData("jobs:\n  - name: \"a\n    x: b\n", "job.yaml:2:11: ")]
    [InlineData("jobs: [a\nx: b\n", "job.yaml:")]
    [InlineData("jobs:\n  - name: [\"a, \"b\"]\n", "job.yaml:2:17: this is not valid YAML: While parsing a flow sequence, did not find expected ',' or ']'; look for a comma, bracket or quote that is missing")]
    [InlineData("jobs:\n  - { name: \"a, b: \"c\" }\n", "job.yaml:2:21: this is not valid YAML: While parsing a flow mapping, did not find expected ',' or '}'; look for a comma, bracket or quote that is missing")]
    public void What_is_no_YAML_is_told_with_its_place_and_the_whole_reason(string text, string expected) =>
        Assert.StartsWith(expected, Error(text), StringComparison.Ordinal);

    [Fact]
    public void Whatever_is_no_YAML_has_a_place_and_shows_nothing_of_a_password()
    {
        var random = new Random(Seeds.Next());
        string[] pieces = ["'", "\"", "`", ": ", "\t", "\n", "\n  ", "[", "{", "]", "*", "&", "@", "%", "|", "- ", "\\q", "!<", "#", " "];
        var refused = 0;
        for (var round = 0; round < 3000; round++)
        {
            var text = "jobs:\n  - name: a\n    source:\n      password: " + string.Concat(Enumerable.Range(0, random.Next(1, 6)).Select(_ => pieces[random.Next(pieces.Length)] + "hunter2"));
            foreach (var error in Assert.Throws<ConfigurationException>(() => Read(text)).Errors.Where(e => e.Message.Contains("YAML", StringComparison.Ordinal)))
            {
                refused++;
                Assert.True(error.Origin.Line > 0, error.ToString());
                Assert.DoesNotContain("hunter2", error.ToString(), StringComparison.Ordinal);
            }
        }

        Assert.InRange(refused, 100, int.MaxValue);
    }

    [Theory]
    [InlineData("pasword_env: ALICE")]
    [InlineData("password-file: alice")]
    [InlineData("passwort: x")]
    public void A_misspelt_key_of_the_password_is_the_only_mistake(string key) =>
        Assert.Contains("unknown key '", Error($"jobs:\n  - name: a\n    source:\n      url: imaps://alice@imap.example.com\n      {key}\n    target: {{ url: 'maildir:x' }}\n"), StringComparison.Ordinal);

    [Theory]
    [InlineData("server: localhost")]
    [InlineData("username: alice")]
    [InlineData("user: alice")]
    [InlineData("port: 993")]
    public void Keys_of_other_programs_are_told_where_their_values_go(string key) =>
        Assert.Contains("stand in 'url': imaps://USER@SERVER", Error(File(Job(source: key))), StringComparison.Ordinal);

    [Fact]
    public void What_is_missing_is_told_as_it_can_be_written()
    {
        Assert.Contains("job.yaml:1:1: 'jobs' is missing here; add 'jobs:' and below it, indented, '- name: alice' and the other keys of the first", Errors("x: y\n"));
        Assert.Contains("'target' is missing here; add 'target:' and below it, indented, its keys, 'url: imaps://", Error("jobs:\n  - name: a\n    source: { url: 'maildir:x' }\n"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("${ALICE}", true)]
    [InlineData("${pass word}x", true)]
    [InlineData("$ALICE_PASSWORD", true)]
    [InlineData("$ecret", false)]
    [InlineData("hunter2", false)]
    [InlineData("$", false)]
    public void A_password_that_looks_like_a_variable_is_noted_and_not_shown(string password, bool isNoted)
    {
        var notes = Read(File(Job(source: $"password: \"{password}\""))).Notes.Select(n => n.ToString()).ToList();
        Assert.Equal(isNoted, notes.Any(n => n.Contains("puts in no variables", StringComparison.Ordinal)));
        Assert.DoesNotContain(notes, n => n.Contains(password[1..], StringComparison.Ordinal) && password.Length > 1);
    }

    [Theory]
    [InlineData("imaps://a@h", "source", "password_env", "", "--source-password-env, --source-password-file or --source-password-command")]
    [InlineData("imaps://a:b@h", "source", "password_env", "X", "use --source-password-env, --source-password-file or --source-password-command")]
    [InlineData("imaps://a@h", "target", "auth", "cram-md5", "write --target-auth plain")]
    [InlineData("imaps://a@h", "target", "tls_ca_file", "x", "'--target-tls-fingerprint' and '--target-tls-ca-file' are both given")]
    public void Options_are_told_as_options(string url, string side, string key, string value, string expected)
    {
        List<GivenSetting> given =
        [
            new("copy", ["name"], "copy"),
            new("SOURCE_URL", ["source", "url"], side == "source" ? url : "maildir:s"),
            new("TARGET_URL", ["target", "url"], side == "target" ? url : "maildir:t"),
        ];
        if (value.Length > 0)
            given.Add(new($"--{side}-{key.Replace('_', '-')}", [side, key], value));
        if (key is "auth" or "tls_ca_file")
            given.Add(new($"--{side}-password", [side, "password"], "x"));
        if (key == "auth")
            given.Add(new($"--{side}-authorize-as", [side, "authorize_as"], "bob"));
        if (key == "tls_ca_file")
            given.Add(new($"--{side}-tls-fingerprint", [side, "tls_fingerprint"], new string('0', 64)));
        var errors = Assert.Throws<ConfigurationException>(() => JobFileReader.Compose(Directory, given, new JobFileOptions { Environment = Environment })).Errors;
        Assert.Contains(errors, e => e.ToString().Contains(expected, StringComparison.Ordinal));
        Assert.DoesNotContain(errors, e => e.ToString().Contains(key == "auth" ? "auth:" : key, StringComparison.Ordinal));
    }
}
