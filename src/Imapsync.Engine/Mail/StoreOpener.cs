namespace Imapsync.Engine.Mail;

/// <summary>Opens a store to be read: connected and logged in, or its directory there and usable.</summary>
public delegate Task<IMessageStore> SourceOpener(Endpoint endpoint, StoreContext context, CancellationToken cancellationToken);

/// <summary>Opens a target: connected and logged in, or its directory there and usable.</summary>
/// <param name="forWriting">Whether messages will be written, so that the directory may be created. A check and a dry run write nothing.</param>
public delegate Task<ITargetStore> TargetOpener(Endpoint endpoint, bool forWriting, StoreContext context, CancellationToken cancellationToken);

/// <summary>The two ways to open what an endpoint names.</summary>
public sealed record StoreOpener(SourceOpener OpenAsync, TargetOpener OpenTargetAsync);
