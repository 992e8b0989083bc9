using System.Collections.Immutable;

namespace Imapsync.Engine.Mail;

/// <summary>
/// A kind of store: how its URL begins, which settings it has, how its endpoint is read out of them and how it is opened. Each lies in its
/// store's own folder and is one line of the registry.
/// </summary>
public abstract class StoreKind
{
    /// <summary>What URLs of the kind begin with, small letters; the one to name first is the first.</summary>
    public abstract ImmutableArray<string> Schemes { get; }

    /// <summary>How such a URL is written, for error texts: <c>maildir:PATH</c>. One for each scheme that is worth naming.</summary>
    public abstract ImmutableArray<string> UrlForms { get; }

    /// <summary>It is reached over a network and logged in to: the settings of servers apply.</summary>
    public virtual bool IsServer => false;

    /// <summary>It opens several connections at once.</summary>
    public virtual bool HasConnections => false;

    /// <summary>It lies in one file, where others have a directory or a server.</summary>
    public virtual bool IsFile => false;

    /// <summary>Mail can be read from it and not written to it.</summary>
    public virtual bool IsSourceOnly => false;

    /// <summary>The settings that mean something to this kind alone.</summary>
    public virtual ImmutableArray<StoreSetting> Settings => [];

    /// <summary>Null where something is wrong; that is then reported.</summary>
    public abstract Endpoint? Read(IEndpointSettings settings);

    public abstract bool IsOf(Endpoint endpoint);

    /// <summary>Opens the store: connected and logged in, or its place there and usable.</summary>
    /// <param name="endpoint">One of this kind.</param>
    /// <param name="forWriting">The store is a target: its directory may be created.</param>
    public abstract Task<IMessageStore> OpenAsync(Endpoint endpoint, bool forWriting, StoreContext context, CancellationToken cancellationToken);

    /// <summary>Opens what tells of changes in the store. Null: it tells nothing by itself.</summary>
    /// <param name="endpoint">One of this kind.</param>
    public virtual Task<IChangeFeed?> ListenAsync(Endpoint endpoint, ListenRequest request, StoreContext context, CancellationToken cancellationToken) =>
        Task.FromResult<IChangeFeed?>(null);
}

/// <typeparam name="T">What its endpoints are.</typeparam>
public abstract class StoreKind<T> : StoreKind
    where T : Endpoint
{
    public override bool IsOf(Endpoint endpoint) => endpoint is T;

    public override Task<IMessageStore> OpenAsync(Endpoint endpoint, bool forWriting, StoreContext context, CancellationToken cancellationToken) =>
        OpenAsync((T)endpoint, forWriting, context, cancellationToken);

    protected abstract Task<IMessageStore> OpenAsync(T endpoint, bool forWriting, StoreContext context, CancellationToken cancellationToken);
}

/// <summary>A setting of one kind of store.</summary>
/// <param name="Purpose">What it is for, in a line for people.</param>
/// <param name="Choices">The values there are, the usual one first.</param>
public sealed record StoreSetting(string Name, string Purpose, ImmutableArray<string> Choices);

/// <summary>What a kind of store makes its endpoint of: the URL and the settings beside it. What is wrong is reported where it was written.</summary>
public interface IEndpointSettings
{
    /// <summary>How the URL begins, small letters.</summary>
    string Scheme { get; }

    /// <summary>The most connections to open at once.</summary>
    int Connections { get; }

    /// <summary>The absolute path behind the scheme of <c>scheme:PATH</c>. Null where it is none, which is reported.</summary>
    string? ReadPath();

    /// <summary>
    /// Reads <c>scheme://USER@HOST:PORT</c> with everything that says how to reach a server and log in. Null where the URL is wrong, which is
    /// reported. A scheme that ends in <c>s</c> is TLS from the first octet, the same without it STARTTLS.
    /// </summary>
    /// <param name="securePort">The port of the scheme in <c>s</c>.</param>
    /// <param name="plainPort">The port of the other.</param>
    /// <param name="make">Makes the endpoint of host, port, TLS and user.</param>
    T? ReadServer<T>(int securePort, int plainPort, Func<string, int, TlsMode, string, T> make)
        where T : ServerEndpoint;

    /// <summary>The value of one of <see cref="StoreKind.Settings"/>, or its first choice where it is absent or wrong.</summary>
    TValue Choice<TValue>(string key, params ReadOnlySpan<(string Word, TValue Value)> values);
}
