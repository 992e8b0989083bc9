namespace Imapsync.CommandLine.Setup;

/// <summary>What a person answers to the question where mail is to go.</summary>
/// <param name="DirectoryUrl"><c>maildir:</c> or <c>mbox:</c> with an absolute path; null for an account.</param>
/// <param name="Account">An address or an IMAP URL; null for a directory.</param>
internal sealed record TargetAnswer(string? DirectoryUrl, string? Account)
{
    /// <param name="home">What <c>~/</c> stands for.</param>
    public static TargetAnswer Parse(string answer, string home)
    {
        foreach (var scheme in new[] { "maildir", "mbox" })
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
