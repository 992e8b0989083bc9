namespace Imapsync.Engine.Mail;

/// <summary>Opens a store for reading: it is connected and logged in, or its directory exists and is usable.</summary>
public delegate Task<IMessageStore> SourceOpener(Endpoint endpoint, StoreContext context, CancellationToken cancellationToken);

/// <summary>Opens a target: it is connected and logged in, or its directory exists and is usable.</summary>
/// <param name="forWriting">Whether messages will be written, so that the directory may be created. A check and a dry run write nothing.</param>
public delegate Task<ITargetStore> TargetOpener(Endpoint endpoint, bool forWriting, StoreContext context, CancellationToken cancellationToken);

/// <summary>The functions that open an endpoint's store as a source and as a target.</summary>
public sealed record StoreOpener(SourceOpener OpenAsync, TargetOpener OpenTargetAsync);
