using System.Text.RegularExpressions;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests.Packaging;

/// <summary>The packages as users get them: installed and inspected with the system's own tools, and run.</summary>
public sealed partial class PackageTests(Release release) : IClassFixture<Release>, IDisposable
{
    private readonly TempDir dir = new();

    private string Tree => dir["tree"];

    [Fact]
    public async Task The_Debian_package_comes_into_a_clean_tree_backs_mail_up_from_there_and_leaves_the_backup_behind()
    {
        await InstallAsync();
        Assert.Contains("install ok installed", await DpkgQueryAsync("${Status}"), StringComparison.Ordinal);
        var passwd = await File.ReadAllTextAsync(Path.Combine(Tree, "etc/passwd"), TestContext.Current.CancellationToken);
        Assert.Contains("imapsync:", passwd, StringComparison.Ordinal);
        Assert.Contains(":/var/lib/imapsync:", passwd, StringComparison.Ordinal);
        Assert.True(Directory.Exists(Path.Combine(Tree, "var/lib/imapsync")));

        var program = Path.Combine(Tree, "usr/bin/imapsync");
        var version = await Release.RunAsync(program, "--version");
        Assert.Equal($"imapsync {await DpkgQueryAsync("${Version}")}\n", version.Output);
        await BacksUpAsync(program);

        // Files of the user and backups must remain when the package is removed.
        var kept = Path.Combine(Tree, "var/lib/imapsync/mail");
        Directory.CreateDirectory(kept);
        var enabled = Directory.CreateDirectory(Path.Combine(Tree, "etc/systemd/system/timers.target.wants")).FullName;
        File.CreateSymbolicLink(Path.Combine(enabled, "imapsync@alice.timer"), "/usr/lib/systemd/system/imapsync@.timer");
        await DpkgAsync("--purge", "imapsync-native");
        Assert.True(Directory.Exists(kept));
        Assert.Empty(Directory.GetFileSystemEntries(enabled));
        Assert.Empty(Directory.EnumerateFiles(Tree, "*imapsync*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task Lintian_finds_nothing_in_it()
    {
        var (status, output, error) = await Release.TryAsync("lintian", [], "--allow-root", "--fail-on", "error,warning", release.Deb);
        Assert.True(status == 0 && !Finding().IsMatch(output), output + error);
    }

    [Fact]
    public async Task It_needs_no_newer_C_library_than_it_says()
    {
        var (status, symbols, error) = await Release.TryAsync("objdump", [], "-T", release.Program);
        var versions = GlibcVersion().Matches(symbols).Select(m => Version.Parse(m.Groups["version"].Value)).ToList();
        // Only the published native program is linked with glibc. Otherwise the package contains a script, which objdump can't read.
        Assert.True(Release.IsNative ? status == 0 && versions.Count > 0 : versions.Count == 0, $"objdump ended with {status}: {error}");
        var needed = versions.Append(new Version(0, 0)).Max();
        var said = Libc().Match((await Release.RunAsync("dpkg-deb", "--field", release.Deb, "Depends")).Output);
        Assert.True(needed <= Version.Parse(said.Groups["version"].Value), $"it needs {needed} and says {said}");
    }

    [Fact]
    public async Task Its_units_are_what_systemd_takes_and_their_manual_is_there()
    {
        await InstallAsync();
        var units = dir.Create("units");
        foreach (var unit in Directory.GetFiles(Path.Combine(Tree, "usr/lib/systemd/system")))
        {
            // The program and its user exist only in the test's tree, so the unit is adapted to it.
            var text = await File.ReadAllTextAsync(unit, TestContext.Current.CancellationToken);
            await File.WriteAllTextAsync(Path.Combine(units, Path.GetFileName(unit)), text.Replace("=/usr/bin/", $"={Tree}/usr/bin/", StringComparison.Ordinal), TestContext.Current.CancellationToken);
        }

        Assert.Equal((0, "", ""), await VerifyAsync(units, "imapsync@alice.service"));
        Assert.Equal((0, "", ""), await VerifyAsync(units, "imapsync@alice.timer"));
        // The exposure level must be at most 3.0 of 10. It can't be 0, because the service needs the network.
        await Release.RunAsync("systemd-analyze", "security", "--offline=true", "--threshold=30", "--no-pager", Path.Combine(units, "imapsync@alice.service"));

        var service = Path.Combine(units, "imapsync@.service");
        var good = await File.ReadAllTextAsync(service, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(service, good.Replace("ProtectSystem", "ProtectSytem", StringComparison.Ordinal), TestContext.Current.CancellationToken);
        Assert.Contains("ProtectSytem", (await VerifyAsync(units, "imapsync@alice.service")).Error, StringComparison.Ordinal);
        await File.WriteAllTextAsync(service, good.Replace("man:imapsync(1)", "man:imapsink(1)", StringComparison.Ordinal), TestContext.Current.CancellationToken);
        Assert.NotEqual("", (await VerifyAsync(units, "imapsync@alice.service")).Error);
    }

    [Fact]
    public async Task Every_command_has_its_page_and_the_shell_completes()
    {
        await InstallAsync();
        var pages = Path.Combine(Tree, "usr/share/man");
        await Release.RunAsync(release.Program, "man", "--directory", dir["printed"]);
        var printed = Directory.GetFiles(dir["printed"], "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(dir["printed"], f) + ".gz").Order(StringComparer.Ordinal).ToList();
        Assert.NotEmpty(printed);
        Assert.Equal(printed, Directory.GetFiles(pages, "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(pages, f)).Order(StringComparer.Ordinal));
        foreach (var page in Directory.GetFiles(pages, "*.gz", SearchOption.AllDirectories))
        {
            var (status, output, error) = await Release.TryAsync("man", new() { ["MANPATH"] = pages, ["MANROFFOPT"] = "-ww" }, "--warnings", Path.GetFileName(page).Split('.')[0]);
            Assert.True(status == 0 && error.Length == 0, error);
            Assert.Contains("NAME", output, StringComparison.Ordinal);
        }

        const string ask = "source \"$1\"; COMP_LINE='imapsync sta' COMP_POINT=12 COMP_WORDS=(imapsync sta) COMP_CWORD=1; _imapsync; echo \"${COMPREPLY[*]}\"";
        var completed = await Release.TryAsync("bash", WithProgram(), "-c", ask, "bash", Path.Combine(Tree, "usr/share/bash-completion/completions/imapsync"));
        Assert.Equal((0, "status\n", ""), completed);
        Assert.NotEmpty(await File.ReadAllTextAsync(Path.Combine(Tree, "usr/share/zsh/vendor-completions/_imapsync"), TestContext.Current.CancellationToken));
        Assert.NotEmpty(await File.ReadAllTextAsync(Path.Combine(Tree, "usr/share/fish/vendor_completions.d/imapsync.fish"), TestContext.Current.CancellationToken));
    }

    /// <summary>Links to sources and recipes are not checked, because only the repository contains those files.</summary>
    [Fact]
    public async Task Every_link_from_one_document_to_another_leads_there_in_the_laid_out_tree_too()
    {
        await InstallAsync();
        var laid = Path.Combine(Tree, "usr/share/doc/imapsync-native");
        var (followed, wrong) = (0, new List<string>());
        foreach (var file in Directory.EnumerateFiles(laid, "*.md", SearchOption.AllDirectories))
        {
            foreach (var link in Link().Matches(await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken)).Select(m => m.Groups["link"].Value).Where(l => !l.StartsWith("http", StringComparison.Ordinal)))
            {
                var place = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, link));
                if (!place.StartsWith(Path.Combine(laid, "docs"), StringComparison.Ordinal))
                    continue;
                followed++;
                if (!Path.Exists(place))
                    wrong.Add($"{Path.GetRelativePath(laid, file)}: {link}");
            }
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        Assert.InRange(followed, 50, int.MaxValue);
    }

    [Fact]
    public async Task The_tarball_is_laid_over_usr_local_and_runs()
    {
        await Release.RunAsync("tar", "--extract", "--gzip", "--file", release.Tarball, "--strip-components=1", "--directory", dir.Create("local"));
        await BacksUpAsync(dir["local/bin/imapsync"]);
        Assert.Contains("ExecStart=/usr/local/bin/imapsync ", await File.ReadAllTextAsync(dir["local/lib/systemd/system/imapsync@.service"], TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.True(File.Exists(dir["local/share/man/man5/imapsync-job.5.gz"]));
        Assert.True(File.Exists(dir["local/share/zsh/site-functions/_imapsync"]));
        Assert.True(File.Exists(dir["local/share/doc/imapsync-native/LICENSE"]));
    }

    [Fact]
    public async Task The_dotnet_tool_is_installed_from_its_package_and_runs()
    {
        // The test uses neither the user's package cache nor any package source other than the release directory.
        var environment = new Dictionary<string, string> { ["NUGET_PACKAGES"] = dir.Create("packages"), ["DOTNET_CLI_HOME"] = dir.Create("home"), ["DOTNET_NOLOGO"] = "1" };
        var sources = dir.Write("nuget.config", $"""<configuration><packageSources><clear /><add key="release" value="{release.Directory}" /></packageSources></configuration>""");
        var (status, output, error) = await Release.TryAsync("dotnet", environment, "tool", "install", "imapsync", "--tool-path", dir["tools"], "--configfile", sources);
        Assert.True(status == 0, output + error);
        await BacksUpAsync(dir["tools/imapsync"]);
    }

    [Fact]
    public async Task The_same_commit_makes_the_same_packages_and_the_sums_are_theirs()
    {
        foreach (var made in (string[])["first", "second"])
        {
            await Release.RunAsync(Path.Combine(Release.Root, "packaging/deb.sh"), dir.Create(made), Small(), "amd64");
            await Release.RunAsync(Path.Combine(Release.Root, "packaging/tarball.sh"), dir[made], Small(), "amd64");
        }

        var (first, second) = (Directory.GetFiles(dir["first"]).Order(StringComparer.Ordinal).ToList(), Directory.GetFiles(dir["second"]).Order(StringComparer.Ordinal).ToList());
        Assert.Equal(2, first.Count);
        foreach (var (one, other) in first.Zip(second))
            Assert.True(File.ReadAllBytes(one).AsSpan().SequenceEqual(File.ReadAllBytes(other)), $"{one} is not made the same again");

        var sums = await File.ReadAllLinesAsync(Path.Combine(release.Directory, "SHA256SUMS"), TestContext.Current.CancellationToken);
        // Besides the packages, only SHA256SUMS and a job file that existed before are there.
        Assert.Equal(Directory.GetFiles(release.Directory).Length - 2, sums.Length);
        Assert.Equal(Release.JobFile, await File.ReadAllTextAsync(Path.Combine(release.Directory, "imapsync.yaml"), TestContext.Current.CancellationToken));
        await Release.RunAsync("sh", "-c", "cd \"$1\" && sha256sum --check --strict SHA256SUMS", "sh", release.Directory);
    }

    /// <summary>
    /// The container recipe copies only paths that exist in the repository and that <c>.dockerignore</c> does not exclude.
    /// </summary>
    [Fact]
    public async Task The_container_recipe_names_what_is_there()
    {
        var recipe = await File.ReadAllLinesAsync(Path.Combine(Release.Root, "Dockerfile"), TestContext.Current.CancellationToken);
        var copied = recipe.Where(l => l.StartsWith("COPY ", StringComparison.Ordinal) && !l.Contains("--from", StringComparison.Ordinal)).SelectMany(l => l.Split(' ')[1..^1]).ToList();
        var allowed = await File.ReadAllLinesAsync(Path.Combine(Release.Root, ".dockerignore"), TestContext.Current.CancellationToken);
        Assert.NotEmpty(copied);
        foreach (var name in copied)
        {
            Assert.True(Path.Exists(Path.Combine(Release.Root, name)), $"{name} is not there");
            Assert.Contains("!" + name.TrimEnd('/'), allowed);
        }

        // The recipe must use the SDK version of global.json, with which everything else is built.
        var sdk = SdkVersion().Match(await File.ReadAllTextAsync(Path.Combine(Release.Root, "global.json"), TestContext.Current.CancellationToken)).Groups["version"].Value;
        Assert.Contains(recipe, l => l.StartsWith($"FROM mcr.microsoft.com/dotnet/sdk:{sdk}-", StringComparison.Ordinal));
    }

    public void Dispose() => dir.Dispose();

    private async Task InstallAsync()
    {
        foreach (var place in (string[])["updates", "info"])
            dir.Create($"tree/var/lib/dpkg/{place}");
        dir.Write("tree/var/lib/dpkg/status", "");
        dir.Create("tree/var/log");
        dir.Create("tree/etc");
        await DpkgAsync("--install", release.Deb);
    }

    /// <summary>Runs dpkg on the test's tree. Package scripts run without chroot, and dependencies are not checked.</summary>
    private Task DpkgAsync(params string[] arguments) =>
        Release.RunAsync("dpkg", [$"--root={Tree}", "--force-script-chrootless", "--force-depends", "--force-not-root", .. arguments]);

    private async Task<string> DpkgQueryAsync(string format) =>
        (await Release.RunAsync("dpkg-query", $"--admindir={Tree}/var/lib/dpkg", "--show", $"--showformat={format}", "imapsync-native")).Output;

    private Task<(int Status, string Output, string Error)> VerifyAsync(string units, string unit) =>
        Release.TryAsync("systemd-analyze", new() { ["MANPATH"] = Path.Combine(Tree, "usr/share/man"), ["SYSTEMD_UNIT_PATH"] = units + ":" }, "verify", "--man=yes", Path.Combine(units, unit));

    private Dictionary<string, string> WithProgram() => new() { ["PATH"] = $"{Tree}/usr/bin:{Environment.GetEnvironmentVariable("PATH")}" };

    /// <summary>
    /// Writes a script that starts the program. Packing it instead of the program makes it cheap to build each package twice.
    /// </summary>
    private string Small() => dir.WriteProgram("imapsync", $"exec {release.Program} \"$@\"");

    private async Task BacksUpAsync(string program)
    {
        var target = dir[Path.GetRandomFileName()];
        var (status, _, error) = await Release.TryAsync(program, new() { ["HOME"] = dir.Create("home") }, "copy", $"mbox:{Path.Combine(Release.Root, "examples/mail")}", $"maildir:{target}");
        Assert.True(status == 0, error);
        Assert.NotEmpty(Directory.GetFiles(Path.Combine(target, "cur")));
    }

    /// <summary>Matches a Markdown link to a file, without its fragment (#heading).</summary>
    [GeneratedRegex(@"\]\((?<link>[^)\s#]+)", RegexOptions.None, 60_000)]
    private static partial Regex Link();

    [GeneratedRegex("^[EW]: ", RegexOptions.Multiline, 60_000)]
    private static partial Regex Finding();

    [GeneratedRegex(@"GLIBC_(?<version>\d+\.\d+)", RegexOptions.None, 60_000)]
    private static partial Regex GlibcVersion();

    [GeneratedRegex(@"libc6 \(>= (?<version>[\d.]+)\)", RegexOptions.None, 60_000)]
    private static partial Regex Libc();

    [GeneratedRegex(@"""version"": ""(?<version>\d+\.\d+)", RegexOptions.None, 60_000)]
    private static partial Regex SdkVersion();
}
