using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Local;

namespace Imapsync.Engine.Stores.Eml;

/// <summary>What all folders of a store need in order to write.</summary>
/// <param name="Display">The store's name, as messages to people show it.</param>
/// <param name="TemporaryDirectory">
/// The directory in which messages are written before they get their final names; created on first use.
/// </param>
/// <param name="OpenAsync">Opens another folder of the store, for moving messages there.</param>
internal sealed record EmlWriting(
    string Display, Lazy<string> TemporaryDirectory, DeliveryNames Names, GroupSync Sync, Func<FolderPath, CancellationToken, Task<WritableEmlFolder>> OpenAsync);
