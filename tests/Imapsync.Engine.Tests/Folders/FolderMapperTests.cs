using System.Collections.Immutable;
using Imapsync.Engine.Folders;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.State;
using Imapsync.Engine.Tests.State;
using Imapsync.Imap;

namespace Imapsync.Engine.Tests.Folders;

public sealed class FolderMapperTests
{
    private static readonly FolderRules Match = new() { SpecialUse = SpecialUsePolicy.Match };

    [Theory]
    [InlineData("by attribute on both sides", "Gesendet:Sent", "Sent Items:Sent", "Gesendet=Sent Items")]
    [InlineData("by name on both sides", "Gesendete Elemente", "Отправленные", "Gesendete Elemente=Отправленные")]
    [InlineData("by name below INBOX", "INBOX/Envoyés", "已发送", "INBOX/Envoyés=已发送")]
    [InlineData("an attribute is worth more than a name", "Sent,Kram:Sent", "Sent Mail,Post:Sent", "Kram=Post Sent=Sent")]
    [InlineData("children follow", "Gesendet:Sent,Gesendet/2020,Gesendet/a/b", "Sent:Sent", "Gesendet=Sent Gesendet/2020=Sent/2020 Gesendet/a/b=Sent/a/b")]
    [InlineData("every use", "Entwürfe,Papierkorb,Spamverdacht,Archiv", "Drafts:Drafts,Trash:Trash,Junk:Junk,Archive:Archive", "Archiv=Archive Entwürfe=Drafts Papierkorb=Trash Spamverdacht=Junk")]
    [InlineData("the target has none", "Gesendet:Sent", "Other", "Gesendet=Gesendet")]
    [InlineData("the target has two", "Gesendet:Sent", "A:Sent,B:Sent", "Gesendet=Gesendet")]
    [InlineData("the target has two by name", "Gesendet:Sent", "Sent,Sent Items", "Gesendet=Gesendet")]
    [InlineData("the same name already", "Sent:Sent", "Sent:Sent", "Sent=Sent")]
    [InlineData("another source folder has that name", "Gesendet:Sent,Sent:Drafts", "Sent:Sent", "Gesendet=Gesendet Sent=Sent")]
    [InlineData("another source folder lies below that name", "Gesendet:Sent,Sent/old", "Sent:Sent", "Gesendet=Gesendet Sent/old=Sent/old")]
    [InlineData("two of the source for one of the target", "Gesendet,Sent Mail", "Verzonden", "Gesendet=Verzonden Sent Mail=Sent Mail")]
    [InlineData("deep down a name says nothing", "Projects/Archive", "Archives:Archive", "Projects/Archive=Projects/Archive")]
    [InlineData("views of other mail stay apart", "[Gmail]/Alle Nachrichten:All,Markiert:Flagged", "All Mail:All,Starred:Flagged", "Markiert=Markiert [Gmail]/Alle Nachrichten=[Gmail]/Alle Nachrichten")]
    [InlineData("a provider's own level", "[Gmail]/Papierkorb", "Deleted Items", "[Gmail]/Papierkorb=Deleted Items")]
    public void Special_uses_are_matched(string what, string source, string target, string expected) =>
        Assert.Equal((what, expected), (what, Describe(FolderMapper.Map(Folders(source), Match, Folders(target)))));

    [Theory]
    [InlineData("the map is stronger", "Gesendet:Sent", "Sent:Sent", "Gesendet=Alt/Post", "Gesendet=Alt/Post")]
    [InlineData("the map is stronger from above", "INBOX/Gesendet", "Sent:Sent", "INBOX=Alt", "INBOX/Gesendet=Alt/Gesendet")]
    [InlineData("a child may have an entry of its own", "Gesendet:Sent,Gesendet/x,Gesendet/y", "Sent:Sent", "Gesendet/x=X", "Gesendet=Sent Gesendet/x=X Gesendet/y=Sent/y")]
    [InlineData("the map may bring folders together", "Gesendet:Sent,Sent Items", "Sent:Sent", "Sent Items=Sent", "Gesendet=Gesendet Sent Items=Sent")]
    public void The_map_is_stronger_than_a_use(string what, string source, string target, string map, string expected)
    {
        var parts = map.Split('=');
        var rules = Match with { Map = ImmutableDictionary<FolderPath, FolderPath>.Empty.Add(FolderPath.Parse(parts[0]), FolderPath.Parse(parts[1])) };
        Assert.Equal((what, expected), (what, Describe(FolderMapper.Map(Folders(source), rules, Folders(target)))));
    }

    [Theory]
    [InlineData("copied under its own name before", "Gesendet", "Gesendet,Sent:Sent", "Gesendet=Gesendet", "Gesendet=Gesendet")]
    [InlineData("one more of that use came later", "Gesendet:Sent", "Sent:Sent,Verzonden:Sent", "Gesendet=Sent", "Gesendet=Sent")]
    [InlineData("another source folder came later", "Envoyés,Gesendet", "Sent:Sent", "Gesendet=Sent", "Envoyés=Envoyés Gesendet=Sent")]
    public void Mail_that_has_its_place_stays_there(string what, string source, string target, string before, string expected)
    {
        var parts = before.Split('=');
        var pair = new PairKey(FolderPath.Parse(parts[0]), FolderPath.Parse(parts[1]));
        Assert.Equal((what, expected), (what, Describe(FolderMapper.Map(Folders(source), Match, Folders(target), [pair]))));
    }

    [Fact]
    public void By_names_every_folder_keeps_its_own() =>
        Assert.Equal("Gesendet=Gesendet", Describe(FolderMapper.Map(Folders("Gesendet:Sent"), new FolderRules(), Folders("Sent:Sent"))));

    [Fact]
    public void A_prefix_goes_in_front_of_what_the_map_gives_and_of_INBOX_too()
    {
        var rules = Match with
        {
            Prefix = FolderPath.Parse("Old/2020"),
            Map = ImmutableDictionary<FolderPath, FolderPath>.Empty.Add(FolderPath.Parse("A"), FolderPath.Parse("Z")),
        };
        Assert.Equal(
            "A=Old/2020/Z A/b=Old/2020/Z/b INBOX=Old/2020/INBOX INBOX/x=Old/2020/INBOX/x Sent=Old/2020/Sent",
            Describe(FolderMapper.Map(Folders("A,A/b,INBOX,INBOX/x,Sent:Sent"), rules, Folders("Post:Sent"))));
    }

    [Theory]
    [InlineData("**", "INBOX")]
    [InlineData("*/*", "")]
    [InlineData("Shared/**", "Shared/team")]
    [InlineData("**,Users/bob", "INBOX,Users/bob")]
    public void Folders_of_others_take_part_only_when_a_glob_names_them(string include, string expected)
    {
        FolderEntry[] source = [new(FolderPath.Inbox), new(FolderPath.Parse("Shared/team")) { IsForeign = true }, new(FolderPath.Parse("Users/bob")) { IsForeign = true }];
        var mapping = FolderMapper.Map(source, new FolderRules { Include = [.. include.Split(',')] });
        Assert.Equal(expected, string.Join(',', mapping.Pairs.Select(p => p.Source.Path)));
        Assert.Equal(3, mapping.Pairs.Count + mapping.Excluded.Count);
    }

    [Theory]
    [InlineData("SENT ITEMS", SpecialFolder.Sent)]
    [InlineData(" ENTWÜRFE ", SpecialFolder.Drafts)]
    [InlineData("ΑΡΧΕΊΟ", SpecialFolder.Archive)]
    [InlineData("迷惑メール", SpecialFolder.Junk)]
    [InlineData("סל אחר", SpecialFolder.None)]
    [InlineData("\ud800", SpecialFolder.None)]
    public void Names_are_known_in_any_case(string name, SpecialFolder expected) =>
        Assert.Equal(expected, SpecialFolderNames.UseOf(new FolderPath(name)));

    private static List<FolderEntry> Folders(string text) => [.. text.Split(',').Select(f => f.Split(':')).Select(f =>
        new FolderEntry(FolderPath.Parse(f[0]), Special: f.Length > 1 ? Enum.Parse<SpecialFolder>(f[1]) : SpecialFolder.None))];

    private static string Describe(FolderMapping mapping) =>
        string.Join(' ', mapping.Pairs.OrderBy(p => p.Source.Path).Select(p => $"{p.Source.Path}={p.Target}"));
}
