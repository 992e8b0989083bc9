namespace Imapsync.Engine.Configuration;

/// <summary>Words as a shell of POSIX takes them.</summary>
public static class ShellWord
{
    /// <summary>As it is where nothing in it means anything to a shell, else in single quotes.</summary>
    public static string Quote(string word) =>
        word.Length > 0 && word.All(c => char.IsAsciiLetterOrDigit(c) || c is '/' or '.' or '-' or '_' or '@' or '+' or ':') ? word : $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
