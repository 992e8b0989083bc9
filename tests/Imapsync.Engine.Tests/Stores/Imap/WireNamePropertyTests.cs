using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Imap;
using Imapsync.Imap.Client;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Stores.Imap;

/// <summary>A created folder is listed under the path that was reported at its creation, for any path, prefix and delimiter.</summary>
public sealed class WireNamePropertyTests
{
    private static readonly string[] Words =
        ["INBOX", "inbox", "a", "A", "Sent", "x y", " x", "x ", "a.b", "a/b", "100%", "%2F", "%25", "é", "e\u0301", "😀", "&", "&AGE-", "~", "#news", "a\tb", "..", "INBOX.a", "\\", "\"", "*"];

    [Fact]
    public void Path_to_wire_to_path_is_a_fixed_point()
    {
        var seed = Seeds.Next();
        var random = new Random(seed);
        foreach (var delimiter in (char?[])['/', '.', '\\', '|', '^', null])
        {
            foreach (var prefix in (string[])["", "INBOX", "Inbox", "Mail", "a", "user/me"])
            {
                IReadOnlyList<ImapNamespace> namespaces = delimiter is { } d && prefix.Length > 0 ? [new ImapNamespace(NamespaceKind.Personal, prefix.Replace('/', d) + d, d)] : [];
                for (var i = 0; i < 300; i++)
                {
                    var path = new FolderPath(Enumerable.Range(0, random.Next(1, 5)).Select(_ => Words[random.Next(Words.Length)]));
                    var making = new FolderNames(namespaces, delimiter, _ => { });
                    var wire = making.Make(path);
                    var reading = new FolderNames(namespaces, delimiter, _ => { });
                    var read = reading.Learn(new ListedFolder(wire, delimiter, new HashSet<string>(), null));
                    var what = $"seed {seed}, delimiter {delimiter}, prefix {prefix}, {path} as {wire}";
                    Assert.Equal((what, making.ListedAs(path).ToString()), (what, read?.ToString()));
                    Assert.Equal((what, read!.ToString()), (what, new FolderNames(namespaces, delimiter, _ => { }).ListedAs(read).ToString()));
                    Assert.Equal((what, wire), (what, reading.Make(read)));
                    Assert.Equal((what, wire), (what, reading.Make(path)));
                }
            }
        }
    }

    [Fact]
    public async Task Of_names_that_read_the_same_it_is_always_the_same_one_that_gets_a_number()
    {
        string[] wires = ["Inbox/Sub", "INBOX/Sub", "a", "&AGE-", "b", "..", "/"];
        var seed = Seeds.Next();
        var random = new Random(seed);
        string? first = null;
        for (var round = 0; round < 20; round++)
        {
            random.Shuffle(wires);
            var server = new FolderServer();
            foreach (var wire in wires)
                server.Folders[wire] = "";
            await using var store = await server.OpenAsync();
            var paths = (await store.ListFoldersAsync(TestContext.Current.CancellationToken)).Select(f => f.Path.ToString()).Order(StringComparer.Ordinal);
            var shown = string.Join(' ', paths);
            foreach (var path in (string[])["a", "a (2)", "INBOX/Sub", "INBOX/Sub (2)"])
            {
                await Assert.ThrowsAsync<MailException>(() => store.GetStatusAsync(FolderPath.Parse(path), TestContext.Current.CancellationToken));
                shown += server.Commands[^1];
            }

            first ??= shown;
            Assert.Equal((seed, first), (seed, shown));
            Assert.Contains(server.Notes, n => n.Contains("nothing but delimiters", StringComparison.Ordinal));
        }
    }
}
