using System.Collections.Immutable;

namespace Imapsync.Engine.Mail;

/// <summary>
/// A kind of store, such as IMAP or Maildir: the schemes of its URLs, its settings, how its endpoint is read from these and how it is
/// opened. The source code has a directory for each kind, and the registry one line.
/// </summary>
public abstract class StoreKind
{
    /// <summary>The schemes of the kind's URLs in lower case; the preferred one comes first.</summary>
    public abstract ImmutableArray<string> Schemes { get; }

    /// <summary>
    /// The forms of the kind's URLs, for error texts, such as <c>maildir:PATH</c>: one for each scheme that is worth mentioning.
    /// </summary>
    public abstract ImmutableArray<string> UrlForms { get; }

    /// <summary>Whether the store is reached over a network with a log-in, so that the settings of servers apply.</summary>
    public virtual bool IsServer => false;

    /// <summary>Whether the store opens several connections at once.</summary>
    public virtual bool HasConnections => false;

    /// <summary>Whether the store is a single file, not a directory or a server.</summary>
    public virtual bool IsFile => false;

    /// <summary>Whether the store can only be a source: mail can be read from it but not written to it.</summary>
    public bool IsSourceOnly => this is not ITargetKind;

    /// <summary>The settings that only this kind has.</summary>
    public virtual ImmutableArray<StoreSetting> Settings => [];

    /// <summary>Makes the endpoint from its settings. If a setting is wrong, reports that and returns null.</summary>
    public abstract Endpoint? Read(IEndpointSettings settings);

    public abstract bool IsOf(Endpoint endpoint);

    /// <summary>Opens the store to be read: it is then connected and logged in, or its directory exists and is usable.</summary>
    /// <param name="endpoint">An endpoint of this kind.</param>
    public abstract Task<IMessageStore> OpenAsync(Endpoint endpoint, StoreContext context, CancellationToken cancellationToken);

    /// <summary>Opens a feed of the store's changes. Returns null if the store reports none by itself.</summary>
    /// <param name="endpoint">An endpoint of this kind.</param>
    public virtual Task<IChangeFeed?> ListenAsync(Endpoint endpoint, ListenRequest request, StoreContext context, CancellationToken cancellationToken) =>
        Task.FromResult<IChangeFeed?>(null);
}

/// <summary>A kind of store that can be a target.</summary>
public interface ITargetKind
{
    /// <inheritdoc cref="TargetOpener"/>
    Task<ITargetStore> OpenTargetAsync(Endpoint endpoint, bool forWriting, StoreContext context, CancellationToken cancellationToken);
}

/// <summary>A kind of store that mail can only be read from.</summary>
/// <typeparam name="T">The type of its endpoints.</typeparam>
public abstract class SourceKind<T> : StoreKind
    where T : Endpoint
{
    public override bool IsOf(Endpoint endpoint) => endpoint is T;

    public override Task<IMessageStore> OpenAsync(Endpoint endpoint, StoreContext context, CancellationToken cancellationToken) => OpenAsync((T)endpoint, context, cancellationToken);

    protected abstract Task<IMessageStore> OpenAsync(T endpoint, StoreContext context, CancellationToken cancellationToken);
}

/// <summary>A kind of store that can be source and target.</summary>
/// <typeparam name="T">The type of its endpoints.</typeparam>
public abstract class TargetKind<T> : StoreKind, ITargetKind
    where T : Endpoint
{
    public override bool IsOf(Endpoint endpoint) => endpoint is T;

    public override async Task<IMessageStore> OpenAsync(Endpoint endpoint, StoreContext context, CancellationToken cancellationToken) =>
        await OpenTargetAsync((T)endpoint, forWriting: false, context, cancellationToken);

    public Task<ITargetStore> OpenTargetAsync(Endpoint endpoint, bool forWriting, StoreContext context, CancellationToken cancellationToken) =>
        OpenTargetAsync((T)endpoint, forWriting, context, cancellationToken);

    protected abstract Task<ITargetStore> OpenTargetAsync(T endpoint, bool forWriting, StoreContext context, CancellationToken cancellationToken);
}

/// <summary>A setting of one kind of store.</summary>
/// <param name="Purpose">The setting's purpose, in one line for people.</param>
/// <param name="Choices">The permitted values, the default first.</param>
public sealed record StoreSetting(string Name, string Purpose, ImmutableArray<string> Choices);

/// <summary>
/// The settings from which a store kind (IMAP, mbox, …) makes its endpoint: the URL and the keys beside it in the job file. Errors are reported
/// with their position in that file.
/// </summary>
public interface IEndpointSettings
{
    /// <summary>The URL's scheme in lower case.</summary>
    string Scheme { get; }

    /// <summary>How many connections may be open at once.</summary>
    int Connections { get; }

    /// <summary>
    /// Returns the absolute path after the scheme of <c>scheme:PATH</c>. If there is no path, reports that and returns null.
    /// </summary>
    string? ReadPath();

    /// <summary>
    /// Reads <c>scheme://USER@HOST:PORT</c> together with all settings for reaching a server and logging in. If the URL is wrong, reports
    /// that and returns null. A scheme that ends in <c>s</c> means TLS from the first octet; the same scheme without the <c>s</c> means
    /// STARTTLS.
    /// </summary>
    /// <param name="securePort">The default port of the scheme that ends in <c>s</c>.</param>
    /// <param name="plainPort">The default port of the other scheme.</param>
    /// <param name="make">Makes the endpoint from host, port, TLS mode and user.</param>
    T? ReadServer<T>(int securePort, int plainPort, Func<string, int, TlsMode, string, T> make)
        where T : ServerEndpoint;

    /// <summary>Returns the value of one of <see cref="StoreKind.Settings"/>, or its first choice where it is absent or wrong.</summary>
    TValue Choice<TValue>(string key, params ReadOnlySpan<(string Word, TValue Value)> values);
}
