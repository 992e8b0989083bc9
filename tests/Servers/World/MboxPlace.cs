using System.Globalization;
using System.Text;
using Imapsync.Engine.Mail;

namespace Imapsync.Servers.Tests.World;

/// <summary>A directory of mbox files that delivery agents append to and mail programs rewrite.</summary>
internal sealed class MboxPlace(string directory) : WorldPlace(directory)
{
    private const string Below = ".sbd";

    public override Endpoint Endpoint { get; } = new MboxEndpoint(directory);

    public override MailCounts Read()
    {
        var counts = new MailCounts();
        if (!System.IO.Directory.Exists(Directory))
            return counts;
        foreach (var file in System.IO.Directory.EnumerateFiles(Directory, "*", SearchOption.AllDirectories))
        {
            if (Path.GetFileName(file).StartsWith('.') || file.EndsWith(".lock", StringComparison.Ordinal))
                continue;
            var messages = Messages(file);
            if (messages is null)
                continue;
            var folder = Path.GetRelativePath(Directory, file).Replace(Below + "/", "/", StringComparison.Ordinal);
            counts.AddFolder(folder);
            foreach (var message in messages)
                counts.Add(folder, WorldMail.NumberOf(Encoding.Latin1.GetBytes(message)));
        }

        return counts;
    }

    public override void Deliver(string folder, WorldMail mail, Random random)
    {
        using var file = new FileStream(PathOf(folder), FileMode.Append);
        file.Write(Encoding.Latin1.GetBytes(Postmark(mail.Date) + Encoding.Latin1.GetString(mail.Octets) + "\n"));
    }

    public override void Remove(string folder, int number)
    {
        var messages = Messages(PathOf(folder))!;
        messages.RemoveAt(messages.FindIndex(m => Number(m) == number));
        Write(folder, messages);
    }

    public override void Move(string folder, int number, string to)
    {
        var message = Messages(PathOf(folder))!.First(m => Number(m) == number);
        Remove(folder, number);
        Write(to, [.. Messages(PathOf(to)) ?? [], message]);
    }

    /// <summary>Sets flags the way mutt writes them.</summary>
    public override void Flag(string folder, int number, Random random)
    {
        var status = random.Next(2) == 0 ? "Status: RO\n" : "Status: O\nX-Status: F\n";
        Write(folder, [.. Messages(PathOf(folder))!.Select(m => Number(m) == number ? WithField(WithoutFields(m, "Status: ", "X-Status: "), status) : m)]);
    }

    public override Task CreateFolderAsync(string folder)
    {
        Write(folder, []);
        return Task.CompletedTask;
    }

    public override Task DeleteFolderAsync(string folder)
    {
        File.Delete(PathOf(folder));
        return Task.CompletedTask;
    }

    public override Task RenameFolderAsync(string from, string to)
    {
        System.IO.Directory.CreateDirectory(Path.GetDirectoryName(PathOf(to))!);
        File.Move(PathOf(from), PathOf(to));
        if (System.IO.Directory.Exists(PathOf(from) + Below))
            System.IO.Directory.Move(PathOf(from) + Below, PathOf(to) + Below);
        return Task.CompletedTask;
    }

    /// <summary>Rewrites the file with fields that mail programs add.</summary>
    public override void Rewrite(string folder, Random random)
    {
        var everything = random.Next(2) == 0;
        Write(folder, [.. Messages(PathOf(folder))!.Select(m => everything || random.Next(3) == 0 ? WithField(WithoutFields(m, "Lines: "), $"Lines: {m.Count(c => c == '\n')}\n") : m)]);
    }

    private static string Postmark(DateTimeOffset date) => string.Create(CultureInfo.InvariantCulture, $"From user@example.org {date.UtcDateTime:ddd MMM dd HH:mm:ss yyyy}\n");

    /// <summary>Returns a file's messages, each with its "From " line and the empty line after it; null if the file is no mbox.</summary>
    private static List<string>? Messages(string path)
    {
        if (!File.Exists(path))
            return [];
        var text = Encoding.Latin1.GetString(File.ReadAllBytes(path)).Replace("\r\n", "\n", StringComparison.Ordinal);
        if (text.Length > 0 && !text.StartsWith("From ", StringComparison.Ordinal))
            return null;
        var messages = new List<string>();
        for (var at = 0; at < text.Length;)
        {
            var next = text.IndexOf("\n\nFrom ", at, StringComparison.Ordinal);
            var end = next < 0 ? text.Length : next + 2;
            messages.Add(text[at..end]);
            at = end;
        }

        return messages;
    }

    private static int Number(string message) => WorldMail.NumberOf(Encoding.Latin1.GetBytes(message));

    private static string WithField(string message, string field) => message.Insert(message.IndexOf("\n\n", StringComparison.Ordinal) + 1, field);

    private static string WithoutFields(string message, params string[] names)
    {
        var end = message.IndexOf("\n\n", StringComparison.Ordinal) + 1;
        var lines = message[..end].Split('\n').Where(l => !names.Any(n => l.StartsWith(n, StringComparison.Ordinal)));
        return string.Join('\n', lines) + message[end..];
    }

    private void Write(string folder, IEnumerable<string> messages)
    {
        System.IO.Directory.CreateDirectory(Path.GetDirectoryName(PathOf(folder))!);
        File.WriteAllBytes(PathOf(folder), Encoding.Latin1.GetBytes(string.Concat(messages)));
    }

    private string PathOf(string folder) => Path.Combine(Directory, folder.Replace("/", Below + "/", StringComparison.Ordinal));
}
