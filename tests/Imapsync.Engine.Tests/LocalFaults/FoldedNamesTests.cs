using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Local;
using Imapsync.Engine.Stores.Maildir;
using Imapsync.Engine.Stores.Mbox;
using Imapsync.Engine.Tests.Contracts;

namespace Imapsync.Engine.Tests.LocalFaults;

/// <summary>
/// File systems that ignore case in names. No two folders may get the same file or directory. The tests simulate the look-up of names,
/// because few Linux kernels can mount such a file system.
/// </summary>
public sealed class FoldedNamesTests : IDisposable
{
    private static readonly FolderPath[] Twins =
    [
        new("Work"), new("work"), new("WORK"), new("Work", "Sub"), new("work", "sub"), new("work", "Sub"), new("ärger"), new("Ärger"), new("Ã"), new("inbox2"),
    ];

    private readonly TemporaryDirectory directory = new();

    private static NameLookup Folding { get; } = new(
        path => Directory.Exists(Path.GetDirectoryName(path)) && Names(Path.GetDirectoryName(path)!).Contains(Path.GetFileName(path), StringComparer.OrdinalIgnoreCase),
        Names);

    public void Dispose() => directory.Dispose();

    [Theory]
    [InlineData(MaildirLayout.MaildirPlusPlus)]
    [InlineData(MaildirLayout.Fs)]
    public void Maildir_folders_that_differ_in_case_have_places_of_their_own(MaildirLayout layout)
    {
        foreach (var path in Twins)
            _ = NewMaildir(layout).Create(path);
        var listed = NewMaildir(layout).List(new LeftOutPlaces("")).Where(e => e.HoldsMessages).ToList();
        Assert.Equal(Twins.Order(), listed.Select(e => e.Path).Order());
        AssertApart(listed.Select(e => e.Directory));
        Assert.All(listed, e => Assert.Equal(e.Directory, NewMaildir(layout).DirectoryOf(e.Path)));
    }

    [Theory]
    [InlineData(MaildirLayout.MaildirPlusPlus)]
    [InlineData(MaildirLayout.Fs)]
    public void A_Maildir_folder_keeps_its_place_when_the_other_is_gone(MaildirLayout layout)
    {
        var first = NewMaildir(layout).Create(new FolderPath("Work")).Directory;
        var second = NewMaildir(layout).Create(new FolderPath("work")).Directory;
        Directory.Delete(first, recursive: true);
        var tree = NewMaildir(layout);
        Assert.Equal(new FolderPath("work"), Assert.Single(tree.List(new LeftOutPlaces(tree.Root))).Path);
        Assert.Equal(second, tree.DirectoryOf(new FolderPath("work")));
    }

    [Fact]
    public void Mbox_folders_that_differ_in_case_have_files_of_their_own()
    {
        var files = Twins.Select(p => NewMbox().Create(p)).ToList();
        AssertApart(files);
        Assert.Equal(files, Twins.Select(p => NewMbox().Find(p)));
        Assert.Equal(Twins.Order(), NewMbox().List().Folders.Where(f => f.Value.Count > 0).Select(f => f.Key).Order());
    }

    [Fact]
    public void A_folder_that_is_not_there_is_not_its_twin()
    {
        NewMbox().Create(new FolderPath("Work"));
        Assert.Null(NewMbox().Find(new FolderPath("work")));
        using var other = new TemporaryDirectory();
        var tree = new MaildirPlusPlusTree(other.Path, Folding);
        tree.Create(new FolderPath("Work"));
        Assert.False(Directory.Exists(tree.DirectoryOf(new FolderPath("work"))));
    }

    [Fact]
    public void The_system_itself_is_asked_and_answers_for_this_directory()
    {
        File.WriteAllText(Path.Combine(directory.Path, "Name"), "");
        var folds = File.Exists(Path.Combine(directory.Path, "nAME"));
        Assert.False(NameLookup.OfSystem.IsAnothers(Path.Combine(directory.Path, "Name")));
        Assert.Equal(folds, NameLookup.OfSystem.IsAnothers(Path.Combine(directory.Path, "name")));
        Assert.False(NameLookup.OfSystem.IsAnothers(Path.Combine(directory.Path, "other")));
    }

    private MaildirTree NewMaildir(MaildirLayout layout) =>
        layout == MaildirLayout.Fs ? new FsTree(directory.Path, Folding) : new MaildirPlusPlusTree(directory.Path, Folding);

    private MboxTree NewMbox() => new(directory.Path, Folding);

    /// <summary>Asserts that the paths differ by more than case, so that they stay distinct on a file system that ignores case.</summary>
    private static void AssertApart(IEnumerable<string> places)
    {
        var all = places.ToList();
        Assert.Equal(Twins.Length, all.Distinct(StringComparer.OrdinalIgnoreCase).Count());
    }

    private static IEnumerable<string> Names(string directory) => NameLookup.OfSystem.NamesIn(directory);
}
