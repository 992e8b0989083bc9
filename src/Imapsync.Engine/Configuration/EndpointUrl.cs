using System.Globalization;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores;

namespace Imapsync.Engine.Configuration;

/// <summary>A parsed endpoint URL: <c>imaps://user@host:port</c>, <c>maildir:PATH</c>, <c>mbox:PATH</c>.</summary>
/// <param name="rest">The part of the URL after the scheme and its colon.</param>
internal sealed class EndpointUrl(string scheme, StoreKind kind, string rest, SettingOrigin origin, JobReadContext reading)
{
    /// <summary>A regular expression, for editors, that matches any URL beginning with a known scheme in upper or lower case.</summary>
    public static string Pattern { get; } = $"^({string.Join('|', StoreRegistry.Kinds.SelectMany(k => k.Schemes).Select(s => string.Concat(s.Select(c => char.IsAsciiLetter(c) ? $"[{char.ToUpperInvariant(c)}{c}]" : $"{c}"))))}):";

    public string Scheme => scheme;

    public StoreKind Kind => kind;

    /// <summary>
    /// Parses a URL. If the text is not the URL of a store, reports an error and returns null. The error never quotes the text, since it
    /// may be a password.
    /// </summary>
    public static EndpointUrl? Parse(string text, SettingOrigin origin, JobReadContext reading)
    {
        var colon = text.IndexOf(':');
        var scheme = colon < 0 ? "" : text[..colon].ToLowerInvariant();
        if (StoreRegistry.Kinds.FirstOrDefault(k => k.Schemes.Contains(scheme)) is { } kind)
            return new EndpointUrl(scheme, kind, text[(colon + 1)..], origin, reading);
        var nearest = EditDistance.Nearest(scheme, StoreRegistry.Kinds.SelectMany(k => k.Schemes));
        var forms = StoreRegistry.Kinds.SelectMany(k => k.UrlForms).ToList();
        reading.Error(origin, "this is no URL of a store", (nearest is null ? "" : $"did you mean '{nearest}:'? ") + $"write {string.Join(", ", forms.SkipLast(1))} or {forms[^1]}");
        return null;
    }

    /// <summary>Reads the path of a local store; see <see cref="IEndpointSettings.ReadPath"/>.</summary>
    public string? ReadPath()
    {
        if (rest.StartsWith("//", StringComparison.Ordinal) && !rest.StartsWith("///", StringComparison.Ordinal))
        {
            reading.Error(origin, $"a {scheme}: URL names no host", $"write {scheme}:/absolute/path or {scheme}:relative/path");
            return null;
        }

        var path = reading.Resolve(origin, rest.StartsWith("///", StringComparison.Ordinal) ? rest[2..] : rest);
        if (path is null)
            return null;
        if (!kind.IsFile && File.Exists(path))
        {
            reading.Error(origin, $"{path} is a file", "give the directory that holds the mail");
            return null;
        }

        if (kind.IsFile && Directory.Exists(path))
        {
            reading.Error(origin, $"{path} is a directory", "give the file that holds the mail");
            return null;
        }

        return path;
    }

    /// <summary>
    /// Reads host, port and user. The user is percent-decoded, and empty when the URL names none. Returns null after reporting an error.
    /// </summary>
    public (string Host, int Port, string User)? ReadServer(int defaultPort)
    {
        (string, int, string)? Wrong(string message, string remedy)
        {
            reading.Error(origin, message, remedy);
            return null;
        }

        if (!rest.StartsWith("//", StringComparison.Ordinal))
            return Wrong($"'//' is missing after '{scheme}:'", $"write {scheme}://USER@HOST");
        var at = rest.LastIndexOf('@');
        var userInfo = at < 0 ? "" : rest[2..at];
        var place = at < 0 ? rest[2..] : rest[(at + 1)..];
        if (userInfo.Contains(':', StringComparison.Ordinal))
            return Wrong("the URL holds a password, which would show up in logs and reports", "take it out and use password_env, password_file or password_command; write a colon of the user's name as %3A");
        if (userInfo.IndexOfAny(['/', ';']) >= 0)
            return Wrong("the URL's user holds a character that is not allowed there", "write / as %2F and ; as %3B; the log-in mechanism is set by 'auth'");
        if (!TryDecode(userInfo, out var user))
            return Wrong("the URL's user is not well encoded", "write % itself as %25");
        var slash = place.IndexOfAny(['/', '?', '#']);
        if (slash >= 0 && place[slash..] != "/")
            return Wrong("the URL names more than a host", "remove what follows the host; folders are chosen by 'folders: include'");
        if (slash >= 0)
            place = place[..slash];
        if (!TrySplitPort(place, defaultPort, out var host, out var port))
            return Wrong("the URL's port is no number from 1 to 65535", $"write {scheme}://USER@HOST:{defaultPort} or leave the port out");
        return TryHost(host, out var name) ? (name, port, user) : Wrong("the URL's host is no host name or address", $"write {scheme}://USER@HOST");
    }

    private static bool TryDecode(string text, out string decoded)
    {
        decoded = Uri.UnescapeDataString(text);
        for (var i = text.IndexOf('%'); i >= 0; i = text.IndexOf('%', i + 1))
        {
            if (i + 2 >= text.Length || !char.IsAsciiHexDigit(text[i + 1]) || !char.IsAsciiHexDigit(text[i + 2]))
                return false;
        }

        return !decoded.Any(char.IsControl);
    }

    private static bool TrySplitPort(string place, int defaultPort, out string host, out int port)
    {
        var colon = place.LastIndexOf(':');
        port = defaultPort;
        host = place;
        if (colon < 0 || place.EndsWith(']'))
            return true;
        host = place[..colon];
        return int.TryParse(place[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out port) && port is > 0 and <= 65535;
    }

    private static bool TryHost(string text, out string host)
    {
        var isBracketed = text.Length > 2 && text[0] == '[' && text[^1] == ']';
        host = isBracketed ? text[1..^1] : text;
        try
        {
            if (!isBracketed && host.Any(c => c > '~'))
                host = new IdnMapping().GetAscii(host);
        }
        catch (ArgumentException)
        {
            return false;
        }

        var kind = Uri.CheckHostName(host);
        return isBracketed ? kind == UriHostNameType.IPv6 : kind is UriHostNameType.Dns or UriHostNameType.IPv4;
    }
}
