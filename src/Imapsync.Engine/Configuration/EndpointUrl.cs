using System.Globalization;

namespace Imapsync.Engine.Configuration;

/// <summary>An endpoint's URL, taken apart: <c>imaps://user@host:port</c>, <c>maildir:PATH</c>, <c>mbox:PATH</c>.</summary>
/// <param name="User">Percent-decoded; empty where there is none.</param>
/// <param name="Directory">Absolute; empty for IMAP.</param>
internal sealed record EndpointUrl(string Scheme, EndpointKinds Kind, string Host, int Port, string User, string Directory)
{
    /// <summary>The protocols and forms there are; any case of letters is good.</summary>
    public static readonly string[] Schemes = ["imaps", "imap", "maildir", "mbox"];

    /// <summary>For editors: a URL begins with one of the schemes.</summary>
    public static string Pattern { get; } = $"^({string.Join('|', Schemes.Select(s => string.Concat(s.Select(c => $"[{char.ToUpperInvariant(c)}{c}]"))))}):";

    /// <summary>Null where something is wrong; that is then reported. No error text repeats what may be a password.</summary>
    public static EndpointUrl? Parse(string text, SettingOrigin origin, JobReadContext reading)
    {
        var colon = text.IndexOf(':');
        var scheme = colon < 0 ? "" : text[..colon].ToLowerInvariant();
        if (!Schemes.Contains(scheme))
        {
            var nearest = EditDistance.Nearest(scheme, Schemes);
            reading.Error(origin, "this is no URL of a store", (nearest is null ? "" : $"did you mean '{nearest}:'? ") + "write imaps://USER@HOST, imap://USER@HOST, maildir:PATH or mbox:PATH");
            return null;
        }

        var rest = text[(colon + 1)..];
        return scheme.StartsWith("imap", StringComparison.Ordinal) ? ParseImap(scheme, rest, origin, reading) : ParseLocal(scheme, rest, origin, reading);
    }

    private static EndpointUrl? ParseLocal(string scheme, string path, SettingOrigin origin, JobReadContext reading)
    {
        if (path.StartsWith("//", StringComparison.Ordinal) && !path.StartsWith("///", StringComparison.Ordinal))
        {
            reading.Error(origin, $"a {scheme}: URL names no host", $"write {scheme}:/absolute/path or {scheme}:relative/path");
            return null;
        }

        var directory = reading.Resolve(origin, path.StartsWith("///", StringComparison.Ordinal) ? path[2..] : path);
        if (directory is null)
            return null;
        if (File.Exists(directory))
        {
            reading.Error(origin, $"{directory} is a file", "give the directory that holds the mail");
            return null;
        }

        return new EndpointUrl(scheme, scheme == "mbox" ? EndpointKinds.Mbox : EndpointKinds.Maildir, "", 0, "", directory);
    }

    private static EndpointUrl? ParseImap(string scheme, string rest, SettingOrigin origin, JobReadContext reading)
    {
        EndpointUrl? Wrong(string message, string remedy)
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
        if (!TrySplitPort(place, scheme, out var host, out var port))
            return Wrong("the URL's port is no number from 1 to 65535", $"write {scheme}://USER@HOST:{DefaultPort(scheme)} or leave the port out");
        return TryHost(host, out var name)
            ? new EndpointUrl(scheme, EndpointKinds.Imap, name, port, user, "")
            : Wrong("the URL's host is no host name or address", $"write {scheme}://USER@HOST");
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

    private static bool TrySplitPort(string place, string scheme, out string host, out int port)
    {
        var colon = place.LastIndexOf(':');
        port = DefaultPort(scheme);
        host = place;
        if (colon < 0 || place.EndsWith(']'))
            return true;
        host = place[..colon];
        return int.TryParse(place[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out port) && port is > 0 and <= 65535;
    }

    private static int DefaultPort(string scheme) => scheme == "imaps" ? 993 : 143;

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
