using System.Text;
using Imapsync.Engine.SigningIn;
using Imapsync.Engine.State;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.SigningIn;

/// <summary>
/// A refresh token is encrypted on disk. Reading it requires its key, an unchanged file, and the same account, client and server.
/// </summary>
public sealed class KeptSignInTests : IDisposable
{
    private const string Binding = "alice\nclient\n\nhttps://login.example.com/token";
    private const string Token = "1//refresh-token-of-alice";

    private readonly TempDir dir = new();
    private readonly Dictionary<string, string> environment = [];
    private readonly Dictionary<string, string> secretService = [];

    private string Kept => dir["state/signin-source"];

    [Fact]
    public async Task What_is_kept_comes_back_and_stands_nowhere_in_the_clear()
    {
        await Keep();
        Assert.Equal(Token, await New().ReadAsync(Binding, default));
        foreach (var file in Directory.GetFiles(dir["state"]))
        {
            Assert.DoesNotContain("refresh-token", await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken), StringComparison.Ordinal);
            if (!OperatingSystem.IsWindows())
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        }
    }

    [Theory]
    [InlineData("bob\nclient\n\nhttps://login.example.com/token")]
    [InlineData("alice\nother\n\nhttps://login.example.com/token")]
    [InlineData("alice\nclient\n\nhttps://evil.example.com/token")]
    public async Task It_is_for_nothing_else(string other)
    {
        await Keep();
        await Assert.ThrowsAsync<SignInLostException>(() => New().ReadAsync(other, default));
        // The authenticated encryption also covers the line that says what the token is for, so replacing that line is noticed.
        var text = await File.ReadAllTextAsync(Kept, TestContext.Current.CancellationToken);
        await New(dir["other"]).WriteAsync(other, "x", KeyPlace.File, default);
        var forged = (await File.ReadAllTextAsync(dir["other"], TestContext.Current.CancellationToken)).Split('\n')[2];
        await File.WriteAllTextAsync(Kept, text.Replace(text.Split('\n')[2], forged, StringComparison.Ordinal), TestContext.Current.CancellationToken);
        await Assert.ThrowsAsync<SignInLostException>(() => New().ReadAsync(other, default));
    }

    [Fact]
    public async Task No_octet_can_be_changed_or_cut_off_without_being_noticed()
    {
        await Keep();
        var octets = await File.ReadAllBytesAsync(Kept, TestContext.Current.CancellationToken);
        // The authenticated encryption does not cover the final line end, so the loop leaves it out.
        for (var i = 0; i < octets.Length - 1; i++)
        {
            var changed = (byte[])octets.Clone();
            changed[i] = (byte)(changed[i] == (byte)'A' ? 'B' : 'A');
            await File.WriteAllBytesAsync(Kept, changed, TestContext.Current.CancellationToken);
            await Assert.ThrowsAsync<SignInLostException>(() => New().ReadAsync(Binding, default));
            await File.WriteAllBytesAsync(Kept, octets[..i], TestContext.Current.CancellationToken);
            await Assert.ThrowsAsync<SignInLostException>(() => New().ReadAsync(Binding, default));
        }
    }

    [Fact]
    public async Task A_link_in_its_place_is_not_followed()
    {
        await Keep();
        File.Move(Kept, dir["elsewhere"]);
        File.CreateSymbolicLink(Kept, dir["elsewhere"]);
        await Assert.ThrowsAsync<IOException>(() => New().ReadAsync(Binding, default));
    }

    [Fact]
    public async Task The_desktops_store_of_secrets_has_the_key_where_there_is_one()
    {
        environment["HAS_SECRET_TOOL"] = "1";
        Assert.Equal("the desktop's Secret Service", await New().WriteAnewAsync(Binding, Token, KeyPlace.Best, default));
        Assert.Single(Directory.GetFiles(dir["state"]));
        Assert.Equal(Token, await New().ReadAsync(Binding, default));
        environment.Remove("HAS_SECRET_TOOL");
        Assert.Contains("the desktop's Secret Service", (await Assert.ThrowsAsync<SignInLostException>(() => New().ReadAsync(Binding, default))).Message, StringComparison.Ordinal);
        // A user whose jobs run while the Secret Service is locked, for example at night, chooses the key file instead.
        environment["HAS_SECRET_TOOL"] = "1";
        Assert.Equal("", await New().WriteAnewAsync(Binding, Token, KeyPlace.File, default));
        environment.Remove("HAS_SECRET_TOOL");
        Assert.Equal(Token, await New().ReadAsync(Binding, default));
    }

    [Fact]
    public async Task A_credential_of_systemd_is_the_key_where_the_service_was_given_one()
    {
        environment["CREDENTIALS_DIRECTORY"] = dir.Create("credentials");
        dir.Write("credentials/imapsync-signin-key", "a secret that the operator made, as long as it pleases");
        environment["HAS_SECRET_TOOL"] = "1";
        Assert.Contains("systemd credential", await New().WriteAnewAsync(Binding, Token, KeyPlace.Best, default), StringComparison.Ordinal);
        Assert.Empty(secretService);
        Assert.Equal(Token, await New().ReadAsync(Binding, default));
        dir.Write("credentials/imapsync-signin-key", "another one, of much the same length as the one");
        await Assert.ThrowsAsync<SignInLostException>(() => New().ReadAsync(Binding, default));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Forgetting_it_forgets_its_key(bool hasSecretTool)
    {
        if (hasSecretTool)
            environment["HAS_SECRET_TOOL"] = "1";
        await New().WriteAnewAsync(Binding, Token, KeyPlace.Best, default);
        Assert.True(await New().RemoveAsync(default));
        Assert.Empty(Directory.GetFiles(dir["state"]));
        Assert.Empty(secretService);
        Assert.False(await New().RemoveAsync(default));
        Assert.Null(await New().ReadAsync(Binding, default));
    }

    /// <summary>
    /// A sign-out deletes the key, and a new sign-in creates another one. A program that runs all the time must notice this.
    /// </summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Who_signs_out_and_in_again_is_found_by_a_program_that_read_the_one_before(bool hasSecretTool)
    {
        if (hasSecretTool)
            environment["HAS_SECRET_TOOL"] = "1";
        await New().WriteAnewAsync(Binding, Token, KeyPlace.Best, default);
        var reader = New();
        Assert.Equal(Token, await reader.ReadAsync(Binding, default));
        await New().RemoveAsync(default);
        await New().WriteAnewAsync(Binding, "the next one", KeyPlace.Best, default);
        Assert.Equal("the next one", await reader.ReadAsync(Binding, default));
        await reader.WriteAsync(Binding, "renewed", KeyPlace.Best, default);
        Assert.Equal("renewed", await New().ReadAsync(Binding, default));
    }

    /// <summary>The job accepts a state directory that so far contains only sign-in files, even after a crash during the sign-in.</summary>
    [Theory]
    [InlineData("signin-source.lock")]
    [InlineData("signin-target.lock")]
    [InlineData("signin-source.tmp")]
    public async Task The_jobs_state_takes_it_for_its_own(string empty)
    {
        Assert.Equal(Kept, new SignInPlace(dir["state"], "source", "").File);
        await Keep();
        dir.Write("state/" + empty, "");
        new StateDirectory(dir["state"]).RequireOurs();
        dir.Write("state/letter", "somebody else's");
        Assert.Throws<IOException>(new StateDirectory(dir["state"]).RequireOurs);
    }

    public void Dispose() => dir.Dispose();

    private Task Keep() => New().WriteAsync(Binding, Token, KeyPlace.File, default);

    private KeptSignIn New(string? path = null) => new(path ?? Kept, new SealingKeys(path ?? Kept, environment, SecretTool));

    /// <summary>Stands in for secret-tool, the program of libsecret.</summary>
    private Task<string?> SecretTool(string program, IReadOnlyList<string> arguments, string input, CancellationToken cancellationToken)
    {
        Assert.Equal("secret-tool", program);
        Assert.DoesNotContain(arguments, a => a.Length > 40 || a.Contains(Path.DirectorySeparatorChar, StringComparison.Ordinal));
        var name = arguments[^1];
        if (!environment.ContainsKey("HAS_SECRET_TOOL"))
            return Task.FromResult<string?>(null);
        switch (arguments[0])
        {
            case "store":
                secretService[name] = input;
                return Task.FromResult<string?>("");
            case "clear":
                secretService.Remove(name);
                return Task.FromResult<string?>("");
            default:
                return Task.FromResult(secretService.GetValueOrDefault(name));
        }
    }
}
