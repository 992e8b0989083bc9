using Imapsync.Engine.Stores;

namespace Imapsync.Engine.Configuration;

/// <summary>The position of a cell within a value, which determines the allowed characters.</summary>
internal enum RowZone
{
    Plain,

    /// <summary>The cell is the entire URL.</summary>
    Url,
    UrlScheme,

    /// <summary>
    /// The cell is the scheme of a URL that does not name a mail store, such as a proxy; the reader of the key checks the scheme.
    /// </summary>
    OtherScheme,
    UrlUser,
    UrlHost,

    /// <summary>The cell is part of one path segment.</summary>
    Path,
    Command,
}

/// <summary>A part of a value: literal text or a column's cell.</summary>
/// <param name="Column">The column's index; negative for literal text.</param>
internal readonly record struct RowPart(string Text, int Column, RowZone Zone = RowZone.Plain);

/// <summary>Inserts cells into values with further syntax, so that no cell can become more than the part it replaces. Pure.</summary>
internal static class RowUse
{
    /// <param name="key">The schema's key for the value; null for an entry of a list or a map.</param>
    public static IEnumerable<RowPart> Place(IReadOnlyList<RowPart> parts, SettingKey? key) => key switch
    {
        { Name: "url" } => PlaceInUrl(parts, RowZone.UrlScheme),
        // A value that consists of cells only is inserted unchanged, because this key's reader accepts nothing but the URL of a server.
        { Name: "proxy" or "server" } => parts.All(p => p.Column >= 0 || p.Text.Length == 0) ? parts : PlaceInUrl(parts, RowZone.OtherScheme),
        { Name: "state" or "directory" } => All(parts, RowZone.Path),
        { Name: var name } when name.EndsWith("_file", StringComparison.Ordinal) || name.StartsWith("tls_client_", StringComparison.Ordinal) => All(parts, RowZone.Path),
        { Name: var name } when name == "command" || name.EndsWith("_command", StringComparison.Ordinal) => All(parts, RowZone.Command),
        _ => parts,
    };

    /// <summary>
    /// Encodes a cell for insertion. For an invalid cell, returns an error message and a remedy, neither of which quotes the cell.
    /// </summary>
    public static (string Message, string Remedy)? Encode(string cell, RowZone zone, string column, out string encoded)
    {
        encoded = cell;
        switch (zone)
        {
            case RowZone.Url when !IsServer(cell.Split(':', 2)[0]):
                return ($"the cell of '{column}' is no URL of an account on a server", "write imaps://USER@HOST or imap://USER@HOST; for local mail, write maildir:DIRECTORY/{COLUMN} in the job file");
            case RowZone.UrlScheme when !IsServer(cell):
                return ($"the cell of '{column}' is no scheme of a server's URL", "write imaps or imap");
            case RowZone.OtherScheme when !cell.All(c => char.IsAsciiLetterOrDigit(c) || c is '+' or '-' or '.'):
                return ($"the cell of '{column}' is no scheme of a URL", "write the letters before ://, for example socks5 or smtps");
            case RowZone.UrlUser:
                encoded = Uri.EscapeDataString(cell);
                return null;
            case RowZone.UrlHost when !cell.All(c => char.IsLetterOrDigit(c) || c is '.' or '-' or '_' or ':' or '[' or ']'):
                return ($"the cell of '{column}' is no host", "write a host's name, with :PORT where it needs one");
            case RowZone.Path when cell.Contains('/', StringComparison.Ordinal) || cell.Any(char.IsControl) || cell.All(c => c == '.') || cell == "~":
                return ($"the cell of '{column}' can't be a part of a path", "write a name without / that is not . or .. or ~, so that each row stays in the job file's directory");
            case RowZone.Command when cell[0] == '-' || !cell.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '@' or '+' or '-' or '=' or ',' or ':' or '%'):
                return ($"the cell of '{column}' can't be a part of a command", "a shell reads it: use letters, digits and . _ @ + - = , : %, and no - first");
            default:
                return null;
        }
    }

    private static bool IsServer(string scheme) => StoreRegistry.Kinds.Any(k => k.IsServer && k.Schemes.Contains(scheme, StringComparer.OrdinalIgnoreCase));

    private static IEnumerable<RowPart> All(IEnumerable<RowPart> parts, RowZone zone) => parts.Select(p => p with { Zone = zone });

    private static IEnumerable<RowPart> PlaceInUrl(IReadOnlyList<RowPart> parts, RowZone scheme)
    {
        var text = string.Concat(parts.Select(p => p.Column < 0 ? p.Text : "\uE000"));
        if (text == "\uE000")
            return All(parts, RowZone.Url);
        var (colon, at) = (text.IndexOf(':', StringComparison.Ordinal), text.LastIndexOf('@'));
        var isLocal = colon > 0 && StoreRegistry.Kinds.Any(k => !k.IsServer && k.Schemes.Contains(text[..colon], StringComparer.OrdinalIgnoreCase));
        var position = 0;
        var placed = new List<RowPart>();
        foreach (var part in parts)
        {
            placed.Add(part with { Zone = position < colon ? scheme : isLocal ? RowZone.Path : position < at ? RowZone.UrlUser : RowZone.UrlHost });
            position += part.Column < 0 ? part.Text.Length : 1;
        }

        return placed;
    }
}
