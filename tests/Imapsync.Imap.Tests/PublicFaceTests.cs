using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;
using Imapsync.Tests.Support;

namespace Imapsync.Imap.Tests;

/// <summary>Tests of the library's public interface: the list of public members, and the README's example.</summary>
public sealed partial class PublicFaceTests
{
    /// <summary>Members that the compiler generates for records, or that override those of Object.</summary>
    private static readonly string[] Generated = ["Equals", "GetHashCode", "ToString", "Deconstruct", "op_Equality", "op_Inequality"];

    private const string List = "src/Imapsync.Imap/PublicApi.txt";

    [Fact]
    public async Task The_list_of_public_members_is_what_the_library_has()
    {
        var now = Describe();
        var path = Path.Combine(Root(), List);
        var listed = File.Exists(path) ? await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken) : "";
        if (listed == now)
            return;
        var offered = Path.Combine(AppContext.BaseDirectory, "PublicApi.txt");
        await File.WriteAllTextAsync(offered, now, TestContext.Current.CancellationToken);
        var changes = now.Split('\n').Except(listed.Split('\n')).Select(l => "+ " + l).Concat(listed.Split('\n').Except(now.Split('\n')).Select(l => "- " + l));
        Assert.Fail($"{List} lists other members; if the change is meant, copy {offered} there:\n{string.Join('\n', changes)}");
    }

    [Fact]
    public async Task The_example_of_the_README_runs_as_it_stands_there()
    {
        var directory = Directory.CreateTempSubdirectory("imapsync-test-");
        var (server, stream) = ScriptedServer.InMemory();
        await using var scripted = server;
        var output = new StringWriter();
        var options = new ImapClientOptions("imap.example.com", 143, ImapTls.None) { Dial = _ => ValueTask.FromResult(stream) };
        var token = TestContext.Current.CancellationToken;
        var running = ReadmeExample.RunAsync(options, new ImapCredentials("alice", "secret", "LOGIN"), output, directory.FullName, token);
        await server.SendAsync("* OK [CAPABILITY IMAP4rev1] ready\r\n", token);
        await server.AnswerAsync("LOGIN \"alice\" \"secret\"", "* CAPABILITY IMAP4rev1");
        await server.AnswerAsync("LIST \"\" \"*\"", "* LIST () \"/\" INBOX", "* LIST () \"/\" &BB8-");
        await server.AnswerAsync("EXAMINE \"INBOX\"", "* 1 EXISTS", "* OK [UIDVALIDITY 7] x", "* OK [UIDNEXT 5] x");
        await server.AnswerAsync("UID FETCH 1:5 (UID BODY.PEEK[])", "* 1 FETCH (UID 4 BODY[] {5}\r\nhello)");
        await server.AnswerAsync("LOGOUT", "* BYE bye");
        await running;
        Assert.Equal($"INBOX{Environment.NewLine}П{Environment.NewLine}", output.ToString());
        Assert.Equal("hello", await File.ReadAllTextAsync(Path.Combine(directory.FullName, "4.eml"), token));
        directory.Delete(recursive: true);

        var source = await File.ReadAllLinesAsync(Path.Combine(Root(), "tests/Imapsync.Imap.Tests/ReadmeExample.cs"), token);
        var example = source.SkipWhile(l => !l.Contains("example: begin", StringComparison.Ordinal)).Skip(1)
            .TakeWhile(l => !l.Contains("example: end", StringComparison.Ordinal)).Select(l => l.Length > 8 ? l[8..] : "");
        var readme = await File.ReadAllTextAsync(Path.Combine(Root(), "src/Imapsync.Imap/README.md"), token);
        Assert.Contains("```csharp\n" + string.Join('\n', example) + "\n```", readme, StringComparison.Ordinal);
    }

    private static string Describe()
    {
        var text = new StringBuilder();
        foreach (var type in typeof(ImapCapabilities).Assembly.GetExportedTypes().OrderBy(t => t.FullName, StringComparer.Ordinal))
        {
            text.Append(type.FullName).Append('\n');
            var members = type.GetMembers(BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.DeclaredOnly)
                .Where(m => m is not MethodInfo { IsSpecialName: true } && m is not Type && !m.Name.Contains('<', StringComparison.Ordinal) && m.Name != "value__")
                .Where(m => !Generated.Contains(m.Name))
                .Select(m => Namespaces().Replace(m.ToString()!, ""));
            foreach (var member in members.Order(StringComparer.Ordinal))
                text.Append("    ").Append(member).Append('\n');
        }

        return text.ToString();
    }

    [GeneratedRegex(@"\b(?:\w+\.)+(?=[A-Z])", RegexOptions.None, 60_000)]
    private static partial Regex Namespaces();

    private static string Root()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory.FullName, "imapsync.sln")))
            directory = directory.Parent!;
        return directory.FullName;
    }
}
