using Imapsync.Imap;

namespace Imapsync.Engine.Mail;

/// <summary>
/// The names that mail programs and providers give to folders with a special use, in many languages. They are needed for servers that don't report the
/// use by an attribute (RFC 6154), and for stores on disk.
/// </summary>
public static class SpecialFolderNames
{
    private static readonly Dictionary<string, SpecialFolder> Uses = ByName(
    [
        (SpecialFolder.Sent, """
            Sent|Sent Items|Sent Messages|Sent Mail|Sent-Mail|Sent Objects|SentMail|Gesendet|Gesendete Elemente|Gesendete Objekte|Gesendete Nachrichten|Gesendete Mails
            Envoyés|Messages envoyés|Éléments envoyés|Objets envoyés|Envoyes|Enviados|Elementos enviados|Mensajes enviados|Correo enviado|Itens enviados|Mensagens enviadas
            Inviati|Inviata|Posta inviata|Messaggi inviati|Elementi inviati|Verzonden|Verzonden items|Verzonden berichten|Skickat|Skickade|Skickade objekt|Sendt|Sendt post|Sendte elementer|Sende elementer
            Lähetetyt|Lähetetyt viestit|Wysłane|Elementy wysłane|Wysłane wiadomości|Odeslané|Odeslaná pošta|Odoslané|Elküldött|Elküldött elemek|Trimise|Elemente trimise|Poslano|Poslane stavke
            Saadetud|Nosūtītās|Išsiųsti|Gönderilmiş|Gönderilmiş Öğeler|Gönderilenler|Enviats|Bidalitakoak|Απεσταλμένα|Отправленные|Исходящие|Надіслані|Изпратени|Послато|נשלח|פריטים שנשלחו|المرسلة|البريد المرسل|ارسال شده
            送信済み|送信済みアイテム|送信済みメール|已发送|已发送邮件|已傳送|寄件備份|寄件備份匣|寄件匣|보낸편지함|보낸 편지함|보낸 메일함|Đã gửi|Thư đã gửi|ส่งแล้ว|จดหมายที่ส่ง|Terkirim|Item Terkirim|भेजे गए
            """),
        (SpecialFolder.Drafts, """
            Drafts|Draft|Draft Messages|Entwürfe|Entwurf|Brouillons|Brouillon|Borradores|Borrador|Rascunhos|Rascunho|Bozze|Bozza|Concepten|Concept|Utkast|Kladder|Kladde|Luonnokset
            Kopie robocze|Szkice|Wersje robocze|Koncepty|Rozepsané|Rozpísané|Piszkozatok|Ciorne|Schițe|Osnutki|Skice|Nacrti|Mustandid|Melnraksti|Juodraščiai|Taslaklar|Esborranys|Zirriborroak|Drög
            Πρόχειρα|Черновики|Чернетки|Чернови|Нацрти|טיוטות|المسودات|مسودات|پیش‌نویس‌ها|下書き|草稿|草稿箱|草稿匣|임시보관함|임시 보관함|Thư nháp|Bản nháp|ร่างจดหมาย|แบบร่าง|Draf|Konsep|ड्राफ़्ट
            """),
        (SpecialFolder.Trash, """
            Trash|Deleted|Deleted Items|Deleted Messages|Bin|Papierkorb|Gelöscht|Gelöschte Elemente|Gelöschte Objekte|Corbeille|Éléments supprimés|Messages supprimés|Papelera|Elementos eliminados
            Lixeira|Lixo|Itens excluídos|Itens Eliminados|Cestino|Posta eliminata|Elementi eliminati|Prullenbak|Prullenmand|Verwijderd|Verwijderde items|Verwijderde berichten|Papperskorgen|Papperskorg|Borttaget|Borttagna objekt
            Papirkurv|Slettet post|Slettede elementer|Papirkurven|Roskakori|Poistetut|Poistetut viestit|Kosz|Elementy usunięte|Usunięte|Koš|Odstraněná pošta|Kôš|Odstránené|Kuka|Lomtár|Törölt elemek
            Coș de gunoi|Elemente șterse|Smeti|Koš za smeće|Otpad|Prügikast|Kustutatud|Miskaste|Šiukšlinė|Çöp|Çöp Kutusu|Silinmiş Öğeler|Paperera|Zaborrontzia|Rusl|Κάδος|Κάδος απορριμμάτων|Διαγραμμένα
            Корзина|Удаленные|Удалённые|Кошик|Видалені|Кошче|Изтрити|Смеће|אשפה|פריטים שנמחקו|المهملات|سلة المهملات|زباله‌دان|ゴミ箱|ごみ箱|削除済みアイテム|已删除|已删除邮件|垃圾桶|刪除的郵件|휴지통|지운 편지함|Thùng rác|ถังขยะ|Sampah|Tong Sampah|ट्रैश
            """),
        (SpecialFolder.Junk, """
            Junk|Junk Mail|Junk E-mail|Junk Email|Junk-E-Mail|Spam|Bulk|Bulk Mail|Unerwünscht|Werbung|Spamverdacht|Indésirables|Courrier indésirable|Pourriel|Correo no deseado|No deseado
            Lixo Eletrônico|Lixo Electrónico|Lixo eletrónico|E-mail de lixo|Posta indesiderata|Indesiderata|Ongewenste e-mail|Ongewenst|Reclame|Skräppost|Skräp|Søppelpost|Uønsket e-post|Uønsket mail|Uønsket post|Roskaposti
            Wiadomości-śmieci|Niechciane|Niechciana poczta|Nevyžádaná pošta|Nevyžiadaná pošta|Levélszemét|Mesaje nedorite|Neželena pošta|Neželjena pošta|Rämpspost|Mēstules|Brukalas|Önemsiz|Önemsiz E-posta|İstenmeyen|Correu brossa
            Ανεπιθύμητα|Ανεπιθύμητη αλληλογραφία|Спам|Нежелательная почта|Небажана пошта|Нежелана поща|Непожељно|דואר זבל|ספאם|البريد العشوائي|غير هام|هرزنامه|迷惑メール|垃圾邮件|垃圾郵件|广告邮件|스팸|스팸메일함|정크 메일|Thư rác|จดหมายขยะ|สแปม|स्पैम
            """),
        (SpecialFolder.Archive, """
            Archive|Archives|Archived|Archiv|Archivo|Archivos|Archivio|Archief|Arquivo|Arquivados|Arquivo Morto|Arkiv|Arkisto|Archiwum|Archív|Archívum|Arhivă|Arhiv|Arhiva|Arhiiv|Arhīvs|Archyvas|Arşiv|Arxiu|Artxiboa
            Αρχείο|Архив|Архів|Архива|ארכיון|الأرشيف|بایگانی|アーカイブ|归档|存档|封存|보관함|Lưu trữ|เก็บถาวร|Arsip|संग्रह
            """),
    ]);

    /// <summary>
    /// Returns a folder's special use by its name. Only folders at the top, below INBOX, or below a provider's own level (<c>[Gmail]</c>) are considered.
    /// A folder elsewhere, such as <c>Projects/Archive</c>, is an ordinary folder.
    /// </summary>
    public static SpecialFolder UseOf(FolderPath path)
    {
        var isAtTop = path.Levels.Length == 1 || (path.Levels.Length == 2 && (path.Levels[0] == "INBOX" || path.Levels[0][0] == '['));
        return isAtTop ? Uses.GetValueOrDefault(path.Name.Trim()) : SpecialFolder.None;
    }

    private static Dictionary<string, SpecialFolder> ByName((SpecialFolder Use, string Names)[] uses)
    {
        var byName = new Dictionary<string, SpecialFolder>(StringComparer.OrdinalIgnoreCase);
        foreach (var (use, names) in uses)
        {
            foreach (var name in names.Split(['|', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
                byName.Add(name, use);
        }

        return byName;
    }
}
