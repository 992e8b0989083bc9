using Imapsync.Engine.Mail;

namespace Imapsync.Servers.Tests.World;

/// <summary>A Maildir++ tree that delivery agents and mail programs change. It is also how a server stores an account.</summary>
internal class MaildirPlace(string directory) : WorldPlace(directory)
{
    private int names;

    public override Endpoint Endpoint { get; } = new MaildirEndpoint(directory);

    public override MailCounts Read()
    {
        var counts = new MailCounts();
        foreach (var (name, path) in Folders())
        {
            counts.AddFolder(name);
            foreach (var file in Files(path))
                counts.Add(name, WorldMail.NumberOf(File.ReadAllBytes(file)));
        }

        return counts;
    }

    public override void Deliver(string folder, WorldMail mail, Random random)
    {
        var path = PathOf(folder);
        var name = $"{mail.Date.ToUnixTimeSeconds()}.M{++names}P{Environment.ProcessId}.world{mail.Number}";
        var file = Path.Combine(path, "tmp", name);
        File.WriteAllBytes(file, mail.Octets);
        File.SetLastWriteTimeUtc(file, mail.Date.UtcDateTime);
        File.Move(file, random.Next(2) == 0 ? Path.Combine(path, "new", name) : Path.Combine(path, "cur", name + ":2,S"));
    }

    public override void Remove(string folder, int number) => File.Delete(Find(folder, number));

    public override void Move(string folder, int number, string to)
    {
        var file = Find(folder, number);
        File.Move(file, Path.Combine(PathOf(to), Path.GetFileName(Path.GetDirectoryName(file)!), Path.GetFileName(file)));
    }

    public override void Flag(string folder, int number, Random random)
    {
        var file = Find(folder, number);
        var parts = Path.GetFileName(file).Split(":2,");
        var letters = parts.Length > 1 ? parts[1] : "";
        var letter = "FRS"[random.Next(3)];
        letters = letters.Contains(letter, StringComparison.Ordinal) ? letters.Replace($"{letter}", "", StringComparison.Ordinal) : string.Concat((letters + letter).Order());
        File.Move(file, Path.Combine(PathOf(folder), "cur", $"{parts[0]}:2,{letters}"));
    }

    public override Task CreateFolderAsync(string folder)
    {
        foreach (var part in (string[])["cur", "new", "tmp"])
            System.IO.Directory.CreateDirectory(Path.Combine(PathOf(folder), part));
        return Task.CompletedTask;
    }

    public override Task DeleteFolderAsync(string folder)
    {
        System.IO.Directory.Delete(PathOf(folder), recursive: true);
        return Task.CompletedTask;
    }

    public override Task RenameFolderAsync(string from, string to)
    {
        foreach (var (name, path) in Folders().Where(f => f.Name == from || f.Name.StartsWith(from + "/", StringComparison.Ordinal)).ToList())
            System.IO.Directory.Move(path, PathOf(to + name[from.Length..]));
        return Task.CompletedTask;
    }

    public override void LoseIndex(Random random)
    {
        foreach (var (_, path) in Folders().Where(_ => random.Next(2) == 0))
            File.Delete(Path.Combine(path, "dovecot-uidlist"));
    }

    protected string PathOf(string folder) => folder == "INBOX" ? Directory : Path.Combine(Directory, "." + folder.Replace('/', '.'));

    protected IEnumerable<(string Name, string Path)> Folders()
    {
        if (System.IO.Directory.Exists(Path.Combine(Directory, "cur")))
            yield return ("INBOX", Directory);
        if (!System.IO.Directory.Exists(Directory))
            yield break;
        foreach (var path in System.IO.Directory.EnumerateDirectories(Directory, ".*"))
        {
            if (System.IO.Directory.Exists(Path.Combine(path, "cur")))
                yield return (Path.GetFileName(path)[1..].Replace('.', '/'), path);
        }
    }

    private static IEnumerable<string> Files(string path) => ((string[])["cur", "new"]).SelectMany(p => System.IO.Directory.GetFiles(Path.Combine(path, p)));

    private string Find(string folder, int number) => Files(PathOf(folder)).First(f => WorldMail.NumberOf(File.ReadAllBytes(f)) == number);
}
