using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Eml;
using Imapsync.Engine.Stores.Emlx;
using Imapsync.Engine.Stores.ImapBackup;
using Imapsync.Engine.Stores.Mh;

namespace Imapsync.Engine.Tests.Stores.MailFiles;

/// <summary>Directories for deleted files, such as .Trash-1000, are no mail folders. A note names them.</summary>
public sealed class DeletedFilesTests
{
    public static TheoryData<string, string> Cases => new MatrixTheoryData<string, string>(
        ["eml", "emlx", "mh", "imap-backup"], [".stversions", ".Trash-1000", ".Trashes", ".zfs", "lost+found", "Work/.stversions"]);

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task What_was_deleted_does_not_come_back_as_mail(string kind, string directory)
    {
        using var job = new SourceJob(place => kind switch
        {
            "eml" => new EmlEndpoint(place),
            "emlx" => new EmlxEndpoint(place),
            "mh" => new MhEndpoint(place),
            _ => (Endpoint)new ImapBackupEndpoint(place),
        });
        Write("");
        Write("Work");
        Write(directory);

        await job.RunAsync();
        Assert.Equal(2, job.Report.Totals.Copied);
        Assert.Single(job.Notes, n => n.Contains("deleted, replaced or recovered", StringComparison.Ordinal) && n.Contains(directory[(directory.IndexOf('/', StringComparison.Ordinal) + 1)..], StringComparison.Ordinal));

        void Write(string above)
        {
            var message = $"Message-ID: <{above.Length}@x.example>\nSubject: x\n\ntext\n";
            var (name, text) = kind switch
            {
                "eml" => ("Mail/1.eml", message),
                "emlx" => ("Mail.mbox/Messages/1.emlx", $"{message.Length}\n{message}"),
                "mh" => ("Mail/1", message),
                _ => ("Mail.mbox", $"From a@x.example Mon Jun 02 10:00:00 2025\n{message}\n"),
            };
            job.Write(Path.Combine(above, name), text);
        }
    }
}
