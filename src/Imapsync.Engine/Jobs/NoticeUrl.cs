namespace Imapsync.Engine.Jobs;

/// <summary>Which URLs may be called to tell something.</summary>
public static class NoticeUrl
{
    /// <summary>What is wrong with it, without a word of it; null for nothing.</summary>
    /// <param name="isClearText">Clear text was asked for.</param>
    public static string? WhyNone(string text, bool isClearText)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Scheme is not ("https" or "http") || url.Host.Length == 0)
            return "this is no https: URL";
        return url.Scheme == "http" && !isClearText ? "this URL is clear text" : null;
    }
}
