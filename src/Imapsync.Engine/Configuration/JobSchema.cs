using System.Collections.Immutable;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Providers;
using Imapsync.Engine.SigningIn;
using Imapsync.Engine.Stores;

namespace Imapsync.Engine.Configuration;

internal enum SettingShape
{
    Text,

    /// <summary>One of the words in <see cref="SettingKey.Choices"/>.</summary>
    Choice,

    /// <summary>A list of texts. In an override it is one text, separated by commas.</summary>
    List,

    /// <summary>A mapping from arbitrary keys to texts.</summary>
    Map,

    /// <summary>A section with the keys in <see cref="SettingKey.Keys"/>.</summary>
    Section,

    /// <summary>One of the words in <see cref="SettingKey.Choices"/>, or a section with <see cref="SettingKey.Keys"/>.</summary>
    ChoiceOrSection,

    /// <summary>A list of sections.</summary>
    Sections,

    /// <summary>A mapping from arbitrary keys to sections.</summary>
    NamedSections,

    /// <summary>The rows of <c>for_each</c>, which have a reader of their own.</summary>
    Rows,
}

/// <param name="Example">An example of a valid value, for error texts.</param>
internal sealed record SettingKey(string Name, SettingShape Shape, string Example)
{
    /// <summary>The key's purpose, in one line for display.</summary>
    public string Purpose { get; init; } = "";

    public bool IsRequired { get; init; }

    /// <summary>The name of a sibling key that can replace this required key.</summary>
    public string? StandIn { get; init; }

    public bool IsSecret { get; init; }

    public ImmutableArray<string> Choices { get; init; } = [];

    /// <summary>A regular expression (ECMA-262) that every valid value matches, for editors; null when none is useful.</summary>
    public string? Pattern { get; init; }

    public ImmutableArray<SettingKey> Keys { get; init; } = [];

    /// <summary>For a map: the form in which one of its entries is given as a command-line option.</summary>
    public string Entry { get; init; } = "FROM=TO";

    /// <summary>Whether the setting can be written only in a job file: no command has an option for it.</summary>
    public bool IsForFilesOnly { get; init; }

    /// <summary>For endpoint settings: whether the setting applies to a kind of store.</summary>
    public Func<StoreKind, bool> AppliesTo { get; init; } = _ => true;
}

/// <summary>All keys that a job file can contain.</summary>
internal static class JobSchema
{
    public static ImmutableArray<SettingKey> OAuth { get; } =
    [
        Choice("provider", "Who gives the tokens.", OAuthProviders.Words),
        Text("issuer", "https://login.example.com", "Who gives them, by the address of a discovery document."),
        Text("token_endpoint", "https://login.example.com/token", "Where tokens are asked for."),
        Text("authorization_endpoint", "https://login.example.com/authorize", "Where a browser signs in."),
        Text("device_authorization_endpoint", "https://login.example.com/device", "Where a code to type in is asked for."),
        Text("client_id", "0f1e2d3c-…", "The client as it was registered."),
        Text("client_secret_env", "MAIL_CLIENT_SECRET", "The environment variable that holds the client's secret."),
        Text("client_secret_file", "/run/secrets/client", "The file that holds the client's secret."),
        Text("client_secret_command", "pass show mail/client", "A command whose first line of output is the client's secret."),
        Text("tenant", "example.onmicrosoft.com", "The organization, at Microsoft 365."),
        List("scopes", "[\"https://mail.google.com/\"]", "What the token is to permit, where that is not the provider's usual."),
        Choice("grant", "How tokens are come by.", "device", "code", "client_credentials", "jwt_bearer"),
        Text("service_account_file", "/run/secrets/account.json", "The key file of a service account."),
        Text("subject", "alice@example.com", "The user that the service account acts for."),
    ];

    public static ImmutableArray<SettingKey> Endpoint { get; } =
    [
        Text("url", "imaps://alice@imap.example.com", "Where the mail is.") with { IsRequired = true, StandIn = "provider", Pattern = EndpointUrl.Pattern },
        Server(Choice("provider", "The mail provider or kind of server; what is known of it holds where nothing else is said.", [.. ProviderTable.Names])) with { Example = "gmail" },
        Server(Text("user", "alice@gmail.com", "In place of 'url' beside a provider that is at one place: the name to sign in with.")),
        Server(Text("password_env", "ALICE_PASSWORD", "The environment variable that holds the password.")),
        Server(Text("password_file", "/run/secrets/alice", "The file that holds the password.")),
        Server(Text("password_command", "pass show mail/alice", "A command whose first line of output is the password.")),
        Server(Text("password", "…", "The password itself.")) with { IsSecret = true },
        Server(new("oauth", SettingShape.ChoiceOrSection, "{ provider: google, client_id: … }")
        {
            Purpose = "Sign in by OAuth 2 in place of a password (docs/sign-in.md).",
            Choices = OAuthProviders.Words,
            IsForFilesOnly = true,
            Keys = OAuth,
        }),
        Server(Text("token_command", "oama access alice@example.com", "A command whose first line of output is an access token.")),
        Server(Choice("tls", "none, together with imap://: no encryption at all.", "required", "none")),
        Server(Text("tls_ca_file", "/etc/ssl/our-ca.pem", "PEM file of the authorities to trust in place of the system's.")),
        Server(Text("tls_fingerprint", "the SHA-256 of the certificate, 64 hexadecimal digits", "The SHA-256 of the server's certificate, which is trusted alone.")),
        Server(Text("tls_client_certificate", "/etc/ssl/alice.pem", "PEM file of the certificate that says who we are, where the server asks for one.")),
        Server(Text("tls_client_key", "/etc/ssl/alice.key", "PEM file of its key, where that is not in the certificate's file.")),
        Server(Choice("auth", "How to log in.",
            "auto", "plain", "login", "scram-sha-1", "scram-sha-256", "scram-sha-512", "cram-md5", "digest-md5", "ntlm", "gssapi", "xoauth2", "oauthbearer", "anonymous", "external")),
        Server(Text("authorize_as", "bob@example.com", "The mailbox that an administrator logs in for.")),
        Server(Text("proxy", "socks5://127.0.0.1:1080", "The proxy to go through: socks5://HOST:PORT or http://HOST:PORT.")),
        Server(Text("proxy_password_env", "PROXY_PASSWORD", "The environment variable that holds the proxy's password.")),
        Server(Text("proxy_password_file", "/run/secrets/proxy", "The file that holds the proxy's password.")),
        Server(Text("proxy_password_command", "pass show proxy/alice", "A command whose first line of output is the proxy's password.")),
        Server(Text("tunnel_command", "ssh mail.example.com doveadm exec imap", "A command whose standard input and output are the connection.")),
        Server(Choice("address_family", "Which of the host's addresses to use.", "any", "ipv4", "ipv6")),
        Connecting(Text("connections", "4", "Most connections at once; the same as 'connections' of 'limits'.")),
        Section("limits", "How much of the store the job may claim.",
        [
            Text("bytes_per_second", "2MB", "The most octets that go to it, or come from it, in a second."),
            Text("messages_per_second", "10", "The most messages that go to it, or come from it, in a second."),
            Text("bytes_per_day", "2GB", "The most octets of messages within 24 hours; then the run stops, and a later one goes on."),
            Connecting(Text("connections", "4", "Most connections at once.")),
        ]),
        Server(Section("timeouts", "How long to wait for the server.",
        [
            Text("connect", "30s", "How long to wait for a connection."),
            Text("greeting", "1m", "How long to wait for encryption and the server's first line, once connected."),
            Text("stall", "2m", "How long to wait for the next octet, while something is asked for."),
        ])),
        .. StoreRegistry.Kinds.SelectMany(kind => kind.Settings.Select(s => Choice(s.Name, s.Purpose, s.Choices) with { AppliesTo = k => k == kind })),
    ];

    /// <summary>The keys of an entry of <c>notify</c>.</summary>
    public static ImmutableArray<SettingKey> Notice { get; } =
    [
        Text("ping", "https://hc-ping.com/…", "The URL to call at the start and at the end of a run.") with { IsSecret = true },
        Text("ping_env", "ALICE_PING", "The environment variable that holds it."),
        Text("ping_file", "/run/secrets/alice-ping", "The file that holds it."),
        Text("ping_command", "pass show ping/alice", "A command whose first line of output it is."),
        Text("webhook", "https://chat.example.com/hooks/…", "The URL that gets a JSON document.") with { IsSecret = true },
        Text("webhook_env", "ALICE_WEBHOOK", "The environment variable that holds it."),
        Text("webhook_file", "/run/secrets/alice-webhook", "The file that holds it."),
        Text("webhook_command", "pass show webhook/alice", "A command whose first line of output it is."),
        Text("command", "/usr/local/bin/tell", "A command for the shell."),
        Section("mail", "A message by SMTP.",
        [
            Text("server", "smtps://backup@smtp.example.org", "The server that takes it.") with { IsRequired = true },
            Text("from", "backup@example.org", "Who it is from.") with { IsRequired = true },
            List("to", "[ops@example.org]", "Who gets it.") with { IsRequired = true },
            Text("password_env", "SMTP_PASSWORD", "The environment variable that holds the password."),
            Text("password_file", "/run/secrets/smtp", "The file that holds the password."),
            Text("password_command", "pass show mail/smtp", "A command whose first line of output is the password."),
            Text("password", "…", "The password itself.") with { IsSecret = true },
        ]),
        Choice("on", "When it is told.", "failure", "always", "change", "weekly"),
        Text("timeout", "10s", "How long a try may take."),
        Choice("tls", "none, together with http:// or smtp://: no encryption at all.", "required", "none"),
        Text("tls_ca_file", "/etc/ssl/our-ca.pem", "PEM file of the authorities to trust in place of the system's."),
    ];

    private static SettingKey Notify { get; } =
        new("notify", SettingShape.Sections, "- command: /usr/local/bin/tell") { Keys = Notice, Purpose = "Who is told how a run ended." };

    /// <summary>The keys of <c>for_each</c> where it is a section.</summary>
    public static ImmutableArray<SettingKey> Rows { get; } =
    [
        Text("file", "accounts.csv", "The file with the list of accounts.") with { IsRequired = true, StandIn = "command" },
        Text("command", "ldapsearch -LLL -x …", "In place of 'file': a command that prints the list."),
        Text("timeout", "1m", "How long the command may take."),
        Choice("format", "What the list is: csv, unless the file's name ends in .ldif.", "csv", "ldif"),
        Text("delimiter", "\";\"", "What stands between the cells of CSV: one character, or tab."),
        Choice("encoding", "How the text of CSV is encoded.", "utf-8", "latin-1"),
    ];

    public static ImmutableArray<SettingKey> Job { get; } =
    [
        Text("name", "alice", "The job's name.") with { IsRequired = true, Pattern = "^[^.\\-].{0,99}$" },
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
            List("from", "[\"*@example.com\"]", "Only messages from somebody who fits this glob."),
            List("without_from", "[\"noreply@*\"]", "No messages from somebody who fits this glob."),
            List("to", "[\"*@example.com\"]", "Only messages to somebody (To, Cc, Bcc) who fits this glob."),
            List("without_to", "[\"all@example.com\"]", "No messages to somebody who fits this glob."),
            List("subject", "[\"*invoice*\"]", "Only messages whose subject fits this glob."),
            List("without_subject", "[\"[dev] *\"]", "No messages whose subject fits this glob."),
            List("list_id", "[\"*.example.org\"]", "Only messages of a mailing list whose List-Id fits this glob."),
            List("without_list_id", "[\"*\"]", "No messages of a mailing list whose List-Id fits this glob."),
            new("headers", SettingShape.Map, "{ X-Project: \"apollo*\" }") { Purpose = "Only messages with this header field, fitting that glob.", Entry = "FIELD=GLOB" },
            new("without_headers", SettingShape.Map, "{ X-Spam-Flag: \"yes*\" }") { Purpose = "No messages with this header field, fitting that glob.", Entry = "FIELD=GLOB" },
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
        Section("snapshots", "Which points in time of a Maildir target are kept.",
        [
            Text("daily", "7", "Of how many days the newest is kept."),
            Text("weekly", "4", "Of how many weeks."),
            Text("monthly", "12", "Of how many months."),
            Text("yearly", "5", "Of how many years."),
            Text("directory", "/var/backups/mail/alice.snapshots", "Where they lie, on the file system of the target."),
        ]),
        Choice("index", "Whether an index of a backup's words is kept for imapsync find.", "false", "true"),
        Section("watch", "How the job is kept up to date by 'imapsync watch'.",
        [
            Text("every", "5m", "How often all is looked at, whatever the source tells of changes."),
            List("folders", "[\"INBOX\", \"Sent\"]", "Folders to listen to, where the server tells of one a connection."),
        ]),
        Text("state", "./state/alice", "The directory of the checkpoints and the lock."),
        Notify,
        new("for_each", SettingShape.Rows, "accounts.csv")
        {
            Purpose = "The list of accounts, a job of this one for each: a CSV or LDIF file, a section with these keys, or the entries themselves.",
            Keys = Rows,
        },
    ];

    public static ImmutableArray<SettingKey> Root { get; } =
    [
        new("jobs", SettingShape.Sections, "- name: alice") { IsRequired = true, Keys = Job, Purpose = "What is copied from where to where." },
        Notify,
        Text("metrics_file", "/var/lib/node_exporter/imapsync.prom", "A file for Prometheus, written at the end of each run."),
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

    private static SettingKey Server(SettingKey key) => key with { AppliesTo = k => k.IsServer };

    private static SettingKey Connecting(SettingKey key) => key with { AppliesTo = k => k.HasConnections };
}
