using Imapsync.Engine.Folders;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Engine.Tests.Stores.Imap;

/// <summary>Folder paths turned into names on the wire, and names on the wire into paths.</summary>
public sealed class FolderNamesTests
{
    private readonly FolderServer server = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("a/b", "a/b", "a/b")]
    [InlineData("percent%20", "percent%20", "percent%20")]
    [InlineData("100%", "100%", "100%")]
    [InlineData("a\\/b", "a%2Fb", "a%2Fb")]
    [InlineData("5%\\/a", "5%25%2Fa", "5%25%2Fa")]
    [InlineData("tab\tx", "tab%09x", "tab%09x")]
    [InlineData("Entwürfe & mehr", "Entw&APw-rfe &- mehr", "Entwürfe & mehr")]
    [InlineData(" a  b ", " a  b ", " a  b ")]
    public async Task A_name_is_escaped_only_where_it_must_be(string path, string wire, string listed)
    {
        await using var store = await server.OpenAsync();
        var folder = FolderPath.Parse(path);
        await store.CreateFolderAsync(folder, SpecialFolder.None, Token);
        Assert.Contains(wire, server.Folders.Keys);
        Assert.Equal(listed, store.ListedAs(folder).ToString());

        await using var later = await server.OpenAsync();
        Assert.Contains(await later.ListFoldersAsync(Token), f => f.Path.ToString() == listed);
        server.Commands.Clear();
        await later.CreateFolderAsync(folder, SpecialFolder.None, Token);
        Assert.Empty(server.Commands);
    }

    [Theory]
    [InlineData("MESSAGES 3 UIDNEXT 4 UIDVALIDITY 1", 3, false)]
    [InlineData("UIDNEXT 4 UIDVALIDITY 1", 0, true)]
    [InlineData("MESSAGES -1 UIDNEXT 4 UIDVALIDITY 1", 0, true)]
    [InlineData("MESSAGES NIL UIDNEXT 4 UIDVALIDITY 1", 0, true)]
    [InlineData("MESSAGES 99999999999999999999 UIDNEXT 4 UIDVALIDITY 1", 0, true)]
    [InlineData("MESSAGES 3 UIDNEXT 4 UIDVALIDITY 1 MESSAGES x", 0, true)]
    public async Task A_count_that_STATUS_does_not_tell_is_unknown(string said, long messages, bool isUnknown)
    {
        server.Status = said;
        await using var store = await server.OpenAsync();
        var status = await store.GetStatusAsync(FolderPath.Inbox, TestContext.Current.CancellationToken);
        Assert.Equal((messages, isUnknown), (status.Messages, status.IsCountUnknown));
    }

    [Fact]
    public async Task Below_INBOX_on_the_wire_is_the_top_where_that_is_the_servers_way()
    {
        server.Delimiter = '.';
        server.Namespaces = """(("INBOX." ".")) (("user." ".")) (("shared." "."))""";
        foreach (var name in (string[])["INBOX.Sent", "INBOX.Lists.a", "user.bob.x", "shared.team"])
            server.Folders[name] = "";
        await using var store = await server.OpenAsync();
        var listed = await store.ListFoldersAsync(Token);
        Assert.Equal(
            ["INBOX", "Lists/a", "Sent", "shared/team (foreign)", "user/bob/x (foreign)"],
            listed.OrderBy(f => f.Path).Select(f => f.Path + (f.IsForeign ? " (foreign)" : "")));
        Assert.Equal(["INBOX", "Lists/a", "Sent"], FolderMapper.Map(listed, new FolderRules()).Pairs.Select(p => p.Source.Path.ToString()));

        await store.CreateFolderAsync(FolderPath.Parse("v1.0/x"), SpecialFolder.None, Token);
        await store.CreateFolderAsync(FolderPath.Parse("INBOX/Sub"), SpecialFolder.None, Token);
        Assert.Contains("INBOX.v1%2E0.x", server.Folders.Keys);
        Assert.Contains("INBOX.Sub", server.Folders.Keys);
        Assert.Equal("Sub", store.ListedAs(FolderPath.Parse("INBOX/Sub")).ToString());
    }

    [Fact]
    public async Task Where_shared_folders_have_no_prefix_what_is_not_ones_own_is_shared()
    {
        server.Delimiter = '.';
        server.Namespaces = """(("INBOX." ".")) (("user." ".")) (("" "."))""";
        foreach (var name in (string[])["INBOX.Sent", "team"])
            server.Folders[name] = "";
        await using var store = await server.OpenAsync();
        Assert.Equal("team", Assert.Single(await store.ListFoldersAsync(Token), f => f.IsForeign).Path.ToString());
    }

    [Fact]
    public async Task Parents_are_made_and_a_name_without_messages_becomes_a_folder_where_one_is_needed()
    {
        server.Folders["A"] = "\\Noselect";
        server.Refuses = name => name.Contains('/', StringComparison.Ordinal) && !server.Folders.ContainsKey(name[..name.LastIndexOf('/')]) ? "NO there is no parent" : null;
        await using var store = await server.OpenAsync();
        await store.CreateFolderAsync(FolderPath.Parse("A/b"), SpecialFolder.None, Token);
        await store.CreateFolderAsync(FolderPath.Parse("C/d/e"), SpecialFolder.None, Token);
        Assert.Equal("\\Noselect", server.Folders["A"]);
        Assert.Equal(["A", "A/b", "C", "C/d", "C/d/e", "INBOX"], server.Folders.Keys.Order(StringComparer.Ordinal));

        await store.CreateFolderAsync(FolderPath.Parse("A"), SpecialFolder.None, Token);
        Assert.Equal("", server.Folders["A"]);
    }

    [Fact]
    public async Task A_refused_name_is_not_taken_for_made()
    {
        server.Refuses = name => name.Length > 10 ? "NO [CANNOT] the name is too long" : null;
        server.Folders["Mail"] = "\\Noinferiors";
        await using var store = await server.OpenAsync();
        Assert.False((await store.ListFoldersAsync(Token)).Single(f => f.Path.Name == "Mail").HoldsFolders);
        for (var i = 0; i < 2; i++)
        {
            var refused = await Assert.ThrowsAsync<MailException>(() => store.CreateFolderAsync(FolderPath.Parse("much longer"), SpecialFolder.None, Token));
            Assert.Equal((FailureScope.Folder, false), (refused.Scope, refused.IsTransient));
            Assert.Contains("too long", refused.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_special_use_that_is_refused_does_not_cost_the_folder()
    {
        server.Capabilities += " SPECIAL-USE CREATE-SPECIAL-USE";
        server.Refuses = _ => server.Commands[^1].Contains("USE", StringComparison.Ordinal) ? "NO [USEATTR] there is one already" : null;
        await using var store = await server.OpenAsync();
        await store.CreateFolderAsync(FolderPath.Parse("Gesendet"), SpecialFolder.Sent, Token);
        Assert.Contains("Gesendet", server.Folders.Keys);
    }

    [Fact]
    public async Task A_server_without_levels_gets_one()
    {
        server.Capabilities = "IMAP4rev1";
        await using var flat = await server.OpenAsync();
        Assert.Equal("INBOX", Assert.Single(await flat.ListFoldersAsync(Token)).Path.ToString());
    }
}
