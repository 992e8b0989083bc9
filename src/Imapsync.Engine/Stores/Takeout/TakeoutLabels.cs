using System.Text;
using Imapsync.Engine.Mail;
using Imapsync.Imap;
using MimeKit.Utils;

namespace Imapsync.Engine.Stores.Takeout;

/// <summary>
/// The labels of one message as Takeout writes them (<c>X-Gmail-Labels</c>, in the account's language). They are divided as by Gmail's IMAP
/// server: folders, flags and labels. Gmail's own labels begin with a backslash.
/// </summary>
internal sealed record TakeoutLabels(IReadOnlyList<string> Labels, IReadOnlyList<FolderPath> Folders, MessageFlags Flags, bool TellsSeen)
{
    private const char Own = '\\';

    // The names of Gmail's own labels in several languages. Any other label counts as made by the user.
    private static readonly string[] Inbox = ["Inbox", "Posteingang", "Boîte de réception", "Recibidos", "Bandeja de entrada", "Posta in arrivo", "Caixa de entrada", "Postvak IN"];
    private static readonly string[] Unread = ["Unread", "Ungelesen", "Non lus", "Non lu", "No leído", "No leídos", "Da leggere", "Não lidas", "Não lida", "Ongelezen"];
    private static readonly string[] Opened = ["Opened", "Geöffnet", "Ouvert", "Abierto", "Abiertos", "Aperto", "Aberta", "Geopend"];
    private static readonly string[] Starred = ["Starred", "Markiert", "Suivis", "Destacados", "Speciali", "Com estrela", "Met ster"];
    private static readonly string[] Important = ["Important", "Wichtig", "Importants", "Importante", "Importanti", "Importantes", "Belangrijk"];
    private static readonly string[] Archived = ["Archived", "Archiviert", "Messages archivés", "Archivé", "Archivado", "Archivados", "Archiviati", "Archiviato", "Arquivado", "Gearchiveerd"];
    private static readonly string[] Categories = ["Category", "Kategorie", "Catégorie", "Categoría", "Categoria", "Categorie"];

    public static FolderPath AllMail { get; } = new("[Gmail]", "All Mail");

    public static FolderPath Spam { get; } = new("[Gmail]", "Spam");

    public static FolderPath Trash { get; } = new("[Gmail]", "Trash");

    public static FolderPath Sent { get; } = new("[Gmail]", "Sent Mail");

    public static FolderPath Drafts { get; } = new("[Gmail]", "Drafts");

    public bool IsInAllMail => !Folders.Contains(Spam) && !Folders.Contains(Trash);

    public static SpecialFolder UseOf(FolderPath path) => path switch
    {
        _ when path.IsInbox => SpecialFolder.Inbox,
        _ when path.Equals(AllMail) => SpecialFolder.All,
        _ when path.Equals(Spam) => SpecialFolder.Junk,
        _ when path.Equals(Trash) => SpecialFolder.Trash,
        _ when path.Equals(Sent) => SpecialFolder.Sent,
        _ when path.Equals(Drafts) => SpecialFolder.Drafts,
        _ => SpecialFolder.None,
    };

    /// <param name="value">The field's value as in the file, with folded lines, and encoded words (RFC 2047) or UTF-8.</param>
    public static TakeoutLabels Parse(ReadOnlySpan<byte> value)
    {
        var unfolded = new List<byte>(value.Length);
        foreach (var octet in value)
        {
            if (octet is not ((byte)'\r' or (byte)'\n'))
                unfolded.Add(octet);
        }

        return Of(Split(Rfc2047.DecodeText([.. unfolded])));
    }

    /// <summary>Splits the list at commas; a label that contains a comma is in quotes.</summary>
    private static List<string> Split(string text)
    {
        var names = new List<string>();
        var name = new StringBuilder();
        var isQuoted = false;
        for (var i = 0; i < text.Length; i++)
        {
            if (isQuoted && text[i] == Own && i + 1 < text.Length)
                name.Append(text[++i]);
            else if (text[i] == '"' && (isQuoted || name.ToString().Trim().Length == 0))
                isQuoted = !isQuoted;
            else if (text[i] == ',' && !isQuoted)
                Take();
            else
                name.Append(text[i]);
        }

        Take();
        return names;

        void Take()
        {
            if (name.ToString().Trim() is { Length: > 0 } whole)
                names.Add(whole);
            name.Clear();
        }
    }

    private static TakeoutLabels Of(IReadOnlyList<string> names)
    {
        var labels = new List<string>();
        var folders = new List<FolderPath>();
        var flags = MessageFlags.None;
        bool isUnread = false, isOpened = false;
        foreach (var name in names)
        {
            if (Is(name, Unread))
                isUnread = true;
            else if (Is(name, Opened))
                isOpened = true;
            else if (Is(name, Starred))
                AddOwn("\\Starred", null, MessageFlags.Flagged);
            else if (Is(name, Important))
                AddOwn("\\Important", null);
            else if (Is(name, Inbox))
                AddOwn("\\Inbox", FolderPath.Inbox);
            else if (Is(name, Archived) || IsCategory(name))
                continue;
            else if (!name.Contains('/', StringComparison.Ordinal) && SpecialFolderNames.UseOf(new FolderPath(name)) is var use and not (SpecialFolder.None or SpecialFolder.Archive))
                AddUse(use);
            else if (name.Split('/', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) is { Length: > 0 } levels)
                Add(name, new FolderPath(levels));
        }

        if (!isUnread)
            flags |= MessageFlags.Seen;
        return new TakeoutLabels(labels, [.. folders.Distinct()], flags, isUnread || isOpened);

        void AddUse(SpecialFolder use)
        {
            if (use == SpecialFolder.Sent)
                AddOwn("\\Sent", Sent);
            else if (use == SpecialFolder.Drafts)
                AddOwn("\\Draft", Drafts, MessageFlags.Draft);
            else
                Add(use == SpecialFolder.Trash ? "\\Trash" : "\\Spam", use == SpecialFolder.Trash ? Trash : Spam);
        }

        void AddOwn(string label, FolderPath? folder, MessageFlags flag = MessageFlags.None)
        {
            flags |= flag;
            labels.Add(label);
            if (folder is not null)
                folders.Add(folder);
        }

        void Add(string label, FolderPath folder)
        {
            labels.Add(label);
            folders.Add(folder);
        }
    }

    private static bool Is(string name, string[] names) => names.Contains(name, StringComparer.OrdinalIgnoreCase);

    /// <summary>
    /// Returns whether the label is a tab of Gmail's web page (such as <c>Category Promotions</c>), which Gmail's IMAP server does not
    /// show.
    /// </summary>
    private static bool IsCategory(string name) =>
        Array.Exists(Categories, c => name.Length > c.Length + 1 && name.StartsWith(c, StringComparison.OrdinalIgnoreCase) && name[c.Length] is ' ' or ':');
}
