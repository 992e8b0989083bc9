using System.Collections.Specialized;
using System.Net;
using System.Web;

namespace Imapsync.Tests.Support.OAuth;

/// <summary>The authorization server's HTML page, which asks the user for the password and for consent.</summary>
public static class SignInPage
{
    public const string Password = "correct horse battery staple";

    /// <param name="query">The query string of the authorization request.</param>
    /// <param name="trouble">The error in the form sent before; empty if none.</param>
    public static string Write(string query, string trouble = "")
    {
        var asked = HttpUtility.ParseQueryString(query);
        return $"""
            <!doctype html><meta charset=utf-8><title>Sign in</title>
            <h1>Sign in as {WebUtility.HtmlEncode(asked["login_hint"])}</h1>
            <p id=trouble>{WebUtility.HtmlEncode(trouble)}</p>
            <form method=post action=/decide>
              <input type=hidden name=query value="{WebUtility.HtmlEncode(query)}">
              <input type=password name=password id=password>
              <button name=answer value=yes id=yes>Let it read my mail</button>
              <button name=answer value=no id=no>No</button>
            </form>
            """;
    }

    /// <returns>The URL to which the browser is redirected; null to show the page again.</returns>
    /// <param name="authorize">Returns the redirect URL for a request that the user consented to.</param>
    public static string? Decide(NameValueCollection form, Func<NameValueCollection, string> authorize)
    {
        var asked = HttpUtility.ParseQueryString(form["query"]!);
        if (form["answer"] != "yes")
            return $"{asked["redirect_uri"]}?error=access_denied&state={Uri.EscapeDataString(asked["state"]!)}";
        return form["password"] == Password ? authorize(asked) : null;
    }
}
