namespace Imapsync.Engine.Configuration;

/// <summary>Quotes words for a POSIX shell.</summary>
public static class ShellWord
{
    /// <summary>Returns the word unchanged when it has no special meaning to a shell, otherwise in single quotes.</summary>
    public static string Quote(string word) =>
        word.Length > 0 && word.All(c => char.IsAsciiLetterOrDigit(c) || c is '/' or '.' or '-' or '_' or '@' or '+' or ':') ? word : $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
