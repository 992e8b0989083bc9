using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Local;
using Imapsync.Engine.Stores.Mbox;
using Imapsync.Engine.Tests.Contracts;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Stores.Mbox;

/// <summary>
/// mbox files under the naming rules of Windows. Each folder gets an allowed file name, and is found again under it on any file system.
/// </summary>
public sealed class StrictNamesTests
{
    private static readonly string[] Pieces = ["a", "B", ":", "*", "?", "\"", "<", ">", "|", "\\", ".", " ", "%", "%3A", "CON", "nul", "COM1", "Lpt9", ".x", "é", "~", ".mbox", ".sbd", ".lock", ".imapsync-x"];

    [Fact]
    public void Every_folder_gets_a_name_that_can_stand_there_and_is_listed_as_itself()
    {
        var seed = Seeds.Next();
        var random = new Random(seed);
        for (var round = 0; round < 60; round++)
        {
            using var directory = new TemporaryDirectory();
            var folders = Enumerable.Range(0, 12).Select(_ => new FolderPath(Enumerable.Range(0, random.Next(1, 3)).Select(_ => Level(random))))
                .Where(p => !p.Levels[0].Equals("INBOX", StringComparison.OrdinalIgnoreCase)).Distinct().ToList();
            var tree = new MboxTree(directory.Path) { Limits = NameLimits.OfWindows };
            var files = folders.ToDictionary(f => f, f => tree.Create(f));
            var what = $"seed {seed}, round {round}: {string.Join(" | ", folders)}";
            Assert.True(files.Values.Distinct().Count() == folders.Count, what);
            foreach (var name in Directory.EnumerateFileSystemEntries(directory.Path, "*", SearchOption.AllDirectories).Select(e => Path.GetFileName(e)))
            {
                Assert.True(name.IndexOfAny([':', '*', '?', '"', '<', '>', '|', '\\']) < 0 && name[^1] is not ('.' or ' ') && !WindowsNames.IsDevice(name), $"{what}\n{name}");
            }

            // Each file holds a message, as in a backup.
            foreach (var file in files.Values)
                File.WriteAllText(file, "From a Thu Jan  2 03:04:05 2020\nSubject: x\n\nx\n\n");
            foreach (var limits in (NameLimits[])[NameLimits.OfWindows, NameLimits.None])
            {
                var again = new MboxTree(directory.Path) { Limits = limits };
                Assert.True(again.List().Folders.Where(f => f.Value.Count > 0).Select(f => f.Key).Order().SequenceEqual(folders.Order()), $"{what}\n{string.Join(" | ", again.List().Folders.Keys.Order())}");
                Assert.All(folders, f => Assert.Equal(files[f], again.Create(f)));
            }
        }
    }

    private static string Level(Random random)
    {
        var level = string.Concat(random.GetItems(Pieces, random.Next(1, 5)));
        return random.Next(8) == 0 ? level + new string('x', 200) : level;
    }
}
