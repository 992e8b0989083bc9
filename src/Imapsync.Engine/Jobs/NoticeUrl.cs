namespace Imapsync.Engine.Jobs;

/// <summary>Checks which URLs may receive notifications.</summary>
public static class NoticeUrl
{
    /// <summary>Returns what is wrong with a URL, without quoting it; null when nothing is.</summary>
    /// <param name="isClearText">Whether unencrypted HTTP is explicitly allowed.</param>
    public static string? WhyNone(string text, bool isClearText)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Scheme is not ("https" or "http") || url.Host.Length == 0)
            return "this is no https: URL";
        return url.Scheme == "http" && !isClearText ? "this URL is clear text" : null;
    }
}
