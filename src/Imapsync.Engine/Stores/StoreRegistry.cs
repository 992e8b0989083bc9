using System.Collections.Immutable;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Eml;
using Imapsync.Engine.Stores.Emlx;
using Imapsync.Engine.Stores.Imap;
using Imapsync.Engine.Stores.ImapBackup;
using Imapsync.Engine.Stores.Maildir;
using Imapsync.Engine.Stores.Mbox;
using Imapsync.Engine.Stores.Mh;
using Imapsync.Engine.Stores.Pop3;
using Imapsync.Engine.Stores.Takeout;
using Imapsync.Engine.Stores.Thunderbird;

namespace Imapsync.Engine.Stores;

/// <summary>All kinds of stores (IMAP, POP3, Maildir and so on).</summary>
public static class StoreRegistry
{
    public static ImmutableArray<StoreKind> Kinds { get; } =
    [
        new ImapKind(),
        new MaildirKind(),
        new MboxKind(),
        new Pop3Kind(),
        new TakeoutKind(),
        new EmlxKind(),
        new EmlKind(),
        new MhKind(),
        new ThunderbirdKind(),
        new ImapBackupKind(),
    ];

    public static StoreOpener Opener { get; } = new(OpenAsync, OpenTargetAsync);

    /// <inheritdoc cref="SourceOpener"/>
    public static Task<IMessageStore> OpenAsync(Endpoint endpoint, StoreContext context, CancellationToken cancellationToken) =>
        KindOf(endpoint).OpenAsync(endpoint, context, cancellationToken);

    /// <inheritdoc cref="TargetOpener"/>
    public static Task<ITargetStore> OpenTargetAsync(Endpoint endpoint, bool forWriting, StoreContext context, CancellationToken cancellationToken) =>
        KindOf(endpoint) is ITargetKind kind
            ? kind.OpenTargetAsync(endpoint, forWriting, context, cancellationToken)
            : throw new NotSupportedException($"{endpoint.Display}: mail can only be read from there");

    /// <inheritdoc cref="FeedOpener"/>
    public static Task<IChangeFeed?> ListenAsync(Endpoint endpoint, ListenRequest request, StoreContext context, CancellationToken cancellationToken) =>
        KindOf(endpoint).ListenAsync(endpoint, request, context, cancellationToken);

    public static StoreKind KindOf(Endpoint endpoint) =>
        Kinds.FirstOrDefault(k => k.IsOf(endpoint)) ?? throw new NotSupportedException($"no store for {endpoint.Display}");
}
