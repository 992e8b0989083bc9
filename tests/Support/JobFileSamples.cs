using System.Collections.Immutable;

namespace Imapsync.Tests.Support;

/// <summary>A job file that uses much of the syntax, and texts that people may insert by mistake.</summary>
public static class JobFileSamples
{
    public const string Rich = """
        jobs:
          - name: alice
            source: { url: "imaps://alice@imap.example.com:993", password_env: ALICE_PASSWORD, connections: 3 }
            target:
              url: maildir:/var/backups/mail/alice
              layout: fs
            folders:
              include: ["**", 'a b']
              map: { "Sent Items": "Sent", ? x : y }
            messages: { since: 2020-01-01, max_size: 50MB, with_flags: [flagged] }
            deletion_limit: 10%
            state: |
              /state
        """;

    public static ImmutableArray<string> Pieces { get; } =
    [
        "{", "}", "[", "]", ":", "- ", "\n", "\t", "\"", "'", "&a ", "*a", "!x ", "!!int ", "|\n", ">-\n", "? ", "%YAML 1.2\n", "---\n", "...\n", "#", "\0", "\u0085", "\uFEFF", "\uD800", "~", "<<: ", "@", "`",
        "\\x", "  ", "99999999999999999999", "imaps://", "%zz", "jobs:", "maildir:", "mbox:", "password", "10%", "-1", "1e9", "limits:", "retry:", "*", "**", "null",
    ];
}
