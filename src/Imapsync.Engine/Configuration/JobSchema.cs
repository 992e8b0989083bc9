using System.Collections.Immutable;

namespace Imapsync.Engine.Configuration;

internal enum SettingShape
{
    Text,

    /// <summary>One of <see cref="SettingKey.Choices"/>.</summary>
    Choice,

    /// <summary>A list of texts; from an override, texts separated by commas.</summary>
    List,

    /// <summary>Free keys, each with a text.</summary>
    Map,

    /// <summary><see cref="SettingKey.Keys"/>.</summary>
    Section,

    /// <summary>A list of sections.</summary>
    Sections,

    /// <summary>Free keys, each with a section.</summary>
    NamedSections,

    /// <summary>Rows that the job is made for: its own reader looks at it.</summary>
    Rows,
}

[Flags]
internal enum EndpointKinds
{
    Imap = 1,
    Maildir = 2,
    Mbox = 4,
    All = Imap | Maildir | Mbox,
}

/// <param name="Example">What a good value looks like, for error texts.</param>
internal sealed record SettingKey(string Name, SettingShape Shape, string Example)
{
    /// <summary>What it is for, in a line for people.</summary>
    public string Purpose { get; init; } = "";

    public bool IsRequired { get; init; }

    public bool IsSecret { get; init; }

    public ImmutableArray<string> Choices { get; init; } = [];

    public ImmutableArray<SettingKey> Keys { get; init; } = [];

    /// <summary>For settings of an endpoint: the kinds of store it says something to.</summary>
    public EndpointKinds AppliesTo { get; init; } = EndpointKinds.All;
}

/// <summary>Every key a job file may have.</summary>
internal static class JobSchema
{
    public static ImmutableArray<SettingKey> Endpoint { get; } =
    [
        Text("url", "imaps://alice@imap.example.com", "Where the mail is.") with { IsRequired = true },
        Imap(Text("password_env", "ALICE_PASSWORD", "The environment variable that holds the password.")),
        Imap(Text("password_file", "/run/secrets/alice", "The file that holds the password.")),
        Imap(Text("password_command", "pass show mail/alice", "A command whose first line of output is the password.")),
        Imap(Text("password", "…", "The password itself.")) with { IsSecret = true },
        Imap(Choice("tls", "none, together with imap://: no encryption at all.", "required", "none")),
        Imap(Text("tls_ca_file", "/etc/ssl/our-ca.pem", "PEM file of the authorities to trust in place of the system's.")),
        Imap(Text("tls_fingerprint", "the SHA-256 of the certificate, 64 hexadecimal digits", "The SHA-256 of the server's certificate, which is trusted alone.")),
        Imap(Text("tls_client_certificate", "/etc/ssl/alice.pem", "PEM file of the certificate that says who we are, where the server asks for one.")),
        Imap(Text("tls_client_key", "/etc/ssl/alice.key", "PEM file of its key, where that is not in the certificate's file.")),
        Imap(Choice("auth", "How to log in.",
            "auto", "plain", "login", "scram-sha-1", "scram-sha-256", "scram-sha-512", "cram-md5", "digest-md5", "ntlm", "gssapi", "xoauth2", "oauthbearer", "anonymous", "external")),
        Imap(Text("authorize_as", "bob@example.com", "The mailbox that an administrator logs in for.")),
        Imap(Text("connections", "4", "Most connections at once; the same as 'connections' of 'limits'.")),
        Imap(Choice("compress", "Whether to compress what goes over the line, where the server can.", "false", "true")),
        Section("limits", "How much of the store the job may claim.",
        [
            Text("bytes_per_second", "2MB", "The most octets that go to it, or come from it, in a second."),
            Text("messages_per_second", "10", "The most messages that go to it, or come from it, in a second."),
            Text("bytes_per_day", "2GB", "The most octets of messages within 24 hours; then the run stops, and a later one goes on."),
            Imap(Text("connections", "4", "Most connections at once.")),
        ]),
        Imap(Section("timeouts", "How long to wait for the server.",
        [
            Text("connect", "30s", "How long to wait for a connection."),
            Text("greeting", "1m", "How long to wait for encryption and the server's first line, once connected."),
            Text("stall", "2m", "How long to wait for the next octet, while something is asked for."),
        ])),
        Choice("layout", "How folders lie in a Maildir: maildir++ or fs (nested directories).", "maildir++", "fs") with { AppliesTo = EndpointKinds.Maildir },
    ];

    public static ImmutableArray<SettingKey> Job { get; } =
    [
        Text("name", "alice", "The job's name.") with { IsRequired = true },
        Section("source", "Where to read.", Endpoint) with { IsRequired = true },
        Section("target", "Where to write.", Endpoint) with { IsRequired = true },
        Section("folders", "Which folders, and where they go.",
        [
            List("include", "[\"**\"]", "Only folders that fit this glob."),
            List("exclude", "[\"Junk\", \"Lists/**\"]", "No folders that fit this glob."),
            new("map", SettingShape.Map, "{ \"Sent Items\": \"Sent\" }") { Purpose = "This source folder, and what lies below it, goes to that target folder." },
            Text("prefix", "Old mail", "The target's folder that everything is put below."),
            Choice("special_use", "Whether sent mail, drafts and so on go to the target's folders for these.", "match", "names"),
        ]),
        Section("messages", "Which messages.",
        [
            Text("since", "2020-01-01", "Only messages received at this date or later."),
            Text("before", "2024-06-30T12:00:00Z", "Only messages received before this date."),
            Text("min_size", "1KB", "Only messages of this size or more."),
            Text("max_size", "50MB", "Only messages of this size or less."),
            List("with_flags", "[flagged]", "Only messages with this flag."),
            List("without_flags", "[deleted]", "Only messages without this flag."),
        ]),
        Choice("flags", "What becomes of flags that change after a message is copied.", "follow", "once", "exact"),
        Choice("stage", "Where a migration in waves stands.", "pre-sync", "final"),
        Text("cutover", "2026-06-01T20:00+02:00", "When the target comes into use: from then on it keeps flags that were changed there."),
        Choice("newest_first", "Whether what arrived last is copied first.", "false", "true"),
        Choice("labels", "What is made of Gmail's labels.", "folders", "keywords"),
        Choice("deletions", "What becomes of messages that vanish from the source.", "keep", "trash", "mirror"),
        Text("deletion_limit", "10% or 500", "The most that one run may remove from the target."),
        Text("trash_folder", "Removed", "The target's folder that deletions: trash moves to."),
        Choice("acl", "Whether other people's rights to the source's folders are given at the target.", "none", "copy"),
        new("acl_map", SettingShape.Map, "{ bob: bob@example.org }") { Purpose = "This person of the source, under acl: copy, is that one at the target." },
        Choice("repair", "Whether a message that the target refuses as malformed may be changed to fit.", "false", "true"),
        Section("retry", "How patient the job is with what may pass.",
        [
            Text("attempts", "6", "Tries in a row that get nowhere before a folder is given up."),
            Text("max_delay", "5m", "The longest wait between tries, unless the server asks for a longer one."),
            Text("give_up_after", "1h", "How long nothing may get on before the job ends."),
        ]),
        Text("max_duration", "4h", "How long a run may take before it stops, for the next one to go on."),
        Text("state", "./state/alice", "The directory of the checkpoints and the lock."),
        new("for_each", SettingShape.Rows, "accounts.csv") { Purpose = "The CSV file with a row for each job that is made of this one." },
    ];

    public static ImmutableArray<SettingKey> Root { get; } =
    [
        new("jobs", SettingShape.Sections, "- name: alice") { IsRequired = true, Keys = Job },
        new("hosts", SettingShape.NamedSections, "{ imap.example.com: { connections: 50 } }")
        {
            Purpose = "What all jobs together may claim of a host.",
            Keys =
            [
                Text("connections", "50", "Most connections at once."),
                Text("messages_per_second", "100", "The most messages that go to it, and come from it, in a second."),
                Text("bytes_per_second", "10MB", "The most octets that go to it, and come from it, in a second."),
            ],
        },
    ];

    private static SettingKey Text(string name, string example, string purpose) => new(name, SettingShape.Text, example) { Purpose = purpose };

    private static SettingKey List(string name, string example, string purpose) => new(name, SettingShape.List, example) { Purpose = purpose };

    private static SettingKey Choice(string name, string purpose, params ImmutableArray<string> choices) =>
        new(name, SettingShape.Choice, string.Join(" | ", choices)) { Choices = choices, Purpose = purpose };

    private static SettingKey Section(string name, string purpose, ImmutableArray<SettingKey> keys) =>
        new(name, SettingShape.Section, "a section of keys") { Keys = keys, Purpose = purpose };

    private static SettingKey Imap(SettingKey key) => key with { AppliesTo = EndpointKinds.Imap };
}
