using Imapsync.Engine.Configuration;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Tests.Configuration;

[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
public sealed class SecretTests : JobFileFixture
{
    [Fact]
    public async Task A_secret_comes_from_the_environment() => Assert.Equal("hunter2", await RevealAsync(Read(File(Job()))));

    [Fact]
    public async Task A_secret_written_in_the_file_is_used_and_noted_when_others_can_read_the_file()
    {
        var path = Path.Combine(Directory, "job.yaml");
        await System.IO.File.WriteAllTextAsync(path, File(Job("password: hunter2")), TestContext.Current.CancellationToken);
        System.IO.File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.OtherRead);
        var file = JobFileReader.Read(path, new JobFileOptions { Environment = Environment });
        Assert.Equal("hunter2", await RevealAsync(file));
        Assert.Contains("can be read by other users", Assert.Single(file.Notes).ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("hunter2\n", "hunter2")]
    [InlineData("hunter2\r\n", "hunter2")]
    [InlineData(" hunter2 ", " hunter2 ")]
    public async Task One_line_end_is_taken_off_a_password_file(string content, string secret)
    {
        Write("pw", content);
        Assert.Equal(secret, await RevealAsync(Read(File(Job("password_file: pw")))));
    }

    [Fact]
    public async Task A_pipe_is_read_once_a_run_and_one_that_nobody_writes_into_is_not_waited_for_for_ever()
    {
        var pipe = Path.Combine(Directory, "pipe");
        using (var made = System.Diagnostics.Process.Start("mkfifo", [pipe]))
            await made.WaitForExitAsync(TestContext.Current.CancellationToken);
        var writing = Task.Run(() => System.IO.File.WriteAllText(pipe, "hunter2\n"), TestContext.Current.CancellationToken);
        var file = Read(File(Job("password_file: pipe")));
        Assert.Equal("hunter2", await RevealAsync(file));
        Assert.Equal("hunter2", await RevealAsync(file));
        await writing;

        var time = new OneShotTime();
        var waiting = RevealAsync(Read(File(Job("password_file: pipe")), new JobFileOptions { Environment = Environment, Time = time }));
        time.FireTimer();
        var e = await Assert.ThrowsAsync<MailException>(() => waiting);
        Assert.Equal(FailureKind.Configuration, e.Kind);
        Assert.Contains("nobody has written into it", e.Message, StringComparison.Ordinal);
        await System.IO.File.WriteAllTextAsync(pipe, "x", TestContext.Current.CancellationToken);
    }

    [Fact]
    public void A_password_file_that_others_can_read_is_noted()
    {
        System.IO.File.SetUnixFileMode(Write("pw", "x"), UnixFileMode.UserRead | UnixFileMode.GroupRead);
        Assert.Contains("can be read by other users", Assert.Single(Read(File(Job("password_file: pw"))).Notes).ToString(), StringComparison.Ordinal);
        System.IO.File.SetUnixFileMode(Path.Combine(Directory, "pw"), UnixFileMode.UserRead);
        Assert.Empty(Read(File(Job("password_file: pw"))).Notes);
    }

    [Theory]
    [InlineData("printf 'hunter2\\nuser: alice\\n'", "hunter2")]
    [InlineData("printf hunter2", "hunter2")]
    [InlineData("seq 100000; true", "1")]
    public async Task The_first_line_of_a_commands_output_is_the_secret(string command, string secret) =>
        Assert.Equal(secret, await RevealAsync(Read(File(Job($"password_command: \"{command.Replace("\\", "\\\\", StringComparison.Ordinal)}\"")))));

    [Theory]
    [InlineData("echo hunter2; echo hunter2 >&2; exit 3", "password command ended with exit status 3: ***")]
    [InlineData("echo no such entry >&2; echo try pass init >&2; exit 1", "password command ended with exit status 1: no such entry | try pass init")]
    [InlineData("true", "password command printed nothing")]
    public async Task A_failing_command_is_told_with_what_it_says_of_it_and_without_the_secret(string command, string message)
    {
        var e = await Assert.ThrowsAsync<MailException>(() => RevealAsync(Read(File(Job($"password_command: \"{command}\"")))));
        Assert.Equal(message, e.Message);
    }

    [Fact]
    public async Task A_command_that_never_ends_is_killed()
    {
        var time = new OneShotTime();
        var file = Read(File(Job("password_command: sleep 1000")), new JobFileOptions { Environment = Environment, Time = time });
        var reading = RevealAsync(file);
        time.FireTimer();
        Assert.Equal("password command did not end within 30 seconds", (await Assert.ThrowsAsync<MailException>(() => reading)).Message);
    }

    [Fact]
    public async Task Nobody_is_asked_twice()
    {
        var asked = new List<string>();
        var file = Read(File(Job("tls: required\n      #password")), new JobFileOptions
        {
            Environment = Environment,
            Prompt = (question, _) =>
            {
                asked.Add(question);
                return ValueTask.FromResult(new Secret("typed"));
            },
        });
        await file.AskForSecretsAsync(TestContext.Current.CancellationToken);
        Assert.Equal("typed", await RevealAsync(file));
        Assert.Equal(["Password for imaps://alice@imap.example.com:993"], asked);
    }

    [Fact]
    public void Without_a_password_and_a_terminal_the_job_is_refused() =>
        Assert.Contains("there is no password for imaps://alice@imap.example.com:993", Error(File(Job("#password"))), StringComparison.Ordinal);

    [Theory]
    [InlineData("password_env: hunter2-is-no-name!", "holds no name of an environment variable")]
    [InlineData("password_file: missing", "there is no such file")]
    [InlineData("password: [hunter2]", "'password' must be a single value")]
    [InlineData("password: *hunter2", "YAML aliases")]
    [InlineData("password: !hunter2!x y", "this is not valid YAML")]
    [InlineData("password: \"hunter2\\q\"", "this is not valid YAML")]
    [InlineData("password: 'x' hunter2", "this is not valid YAML")]
    [InlineData("password: @hunter2", "this is not valid YAML")]
    [InlineData("password: hunter2: x", "this is not valid YAML")]
    public void A_mistake_about_a_secret_does_not_repeat_it(string source, string message)
    {
        var errors = Errors(File(Job(source)));
        Assert.Contains(errors, e => e.Contains(message, StringComparison.Ordinal));
        Assert.DoesNotContain(errors, e => e.Contains("hunter2", StringComparison.Ordinal));
    }

    [Fact]
    public async Task No_text_about_a_job_holds_its_secret()
    {
        Write("pw", "hunter2");
        foreach (var source in new[] { "password: hunter2", "password_file: pw", "password_env: ALICE_PASSWORD", "password_command: echo hunter2" })
        {
            var job = Read(File(Job(source))).Jobs[0];
            var secret = await ((ImapEndpoint)job.Source).Password!.ReadAsync(TestContext.Current.CancellationToken);
            foreach (var text in new[] { job.ToString(), job.Source.ToString(), job.Source.Display, ((ImapEndpoint)job.Source).Password!.ToString(), secret.ToString() })
                Assert.DoesNotContain("hunter2", text, StringComparison.Ordinal);
        }
    }

    private static async Task<string> RevealAsync(JobFile file) =>
        (await Source(file).Password!.ReadAsync(TestContext.Current.CancellationToken)).Reveal();

    private string Write(string name, string content)
    {
        var path = Path.Combine(Directory, name);
        System.IO.File.WriteAllText(path, content);
        return path;
    }

    /// <summary>A clock whose timer fires when <see cref="FireTimer"/> is called.</summary>
    private sealed class OneShotTime : TimeProvider
    {
        private readonly TaskCompletionSource<(TimerCallback Callback, object? State)> timer = new();

        public void FireTimer()
        {
            var (callback, state) = timer.Task.IsCompleted ? timer.Task.GetAwaiter().GetResult() : throw new InvalidOperationException("no timer was set");
            callback(state);
        }

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            timer.TrySetResult((callback, state));
            return new Unused();
        }

        private sealed class Unused : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => true;

            public void Dispose()
            {
            }

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }
}
