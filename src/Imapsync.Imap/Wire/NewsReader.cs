namespace Imapsync.Imap.Wire;

/// <summary>Recognises the untagged replies that report a change in a folder or in the list of folders.</summary>
internal static class NewsReader
{
    /// <summary>Returns null if the reply reports no change.</summary>
    public static FolderNews? Read(ref ImapResponse response)
    {
        if (response.Is("EXISTS"u8) || response.Is("EXPUNGE"u8) || response.Is("FETCH"u8) || response.Is("VANISHED"u8))
            return new FolderNews(FolderNewsKind.Messages);
        if (response.Is("STATUS"u8))
            return new FolderNews(FolderNewsKind.Messages, response.Arguments.Next() is { IsString: true } name ? name.ToLatin1() : null);
        return response.Is("LIST"u8) ? new FolderNews(FolderNewsKind.Folders) : null;
    }
}
