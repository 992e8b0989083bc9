namespace Imapsync.CommandLine.Setup;

/// <summary>The answer to the question where the mail is to be copied.</summary>
/// <param name="DirectoryUrl">A <c>maildir:</c>, <c>mbox:</c> or <c>eml:</c> URL with an absolute path; null for an account.</param>
/// <param name="Account">A mail address or an IMAP URL; null for a directory.</param>
internal sealed record TargetAnswer(string? DirectoryUrl, string? Account)
{
    /// <param name="home">The home directory, which replaces <c>~/</c>.</param>
    public static TargetAnswer Parse(string answer, string home)
    {
        foreach (var scheme in new[] { "maildir", "mbox", "eml" })
        {
            if (answer.StartsWith(scheme + ":", StringComparison.OrdinalIgnoreCase))
                return new TargetAnswer($"{scheme}:{Absolute(answer[(scheme.Length + 1)..], home)}", null);
        }

        var isPath = answer.StartsWith('/') || answer.StartsWith('.') || answer.StartsWith('~');
        return !isPath && (answer.Contains('@', StringComparison.Ordinal) || answer.Contains("://", StringComparison.Ordinal))
            ? new TargetAnswer(null, answer)
            : new TargetAnswer($"maildir:{Absolute(answer, home)}", null);
    }

    private static string Absolute(string path, string home) =>
        Path.GetFullPath(path == "~" || path.StartsWith("~/", StringComparison.Ordinal) ? home + path[1..] : path);
}
