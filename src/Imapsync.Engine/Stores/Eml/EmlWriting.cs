using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Local;

namespace Imapsync.Engine.Stores.Eml;

/// <summary>What the folders of a store share for writing.</summary>
/// <param name="Display">The store's name, for what is told of it.</param>
/// <param name="TemporaryDirectory">Where messages are written before they get their names; made when it is first asked for.</param>
/// <param name="OpenAsync">Opens another folder of the store.</param>
internal sealed record EmlWriting(
    string Display, Lazy<string> TemporaryDirectory, DeliveryNames Names, GroupSync Sync, Func<FolderPath, CancellationToken, Task<WritableEmlFolder>> OpenAsync);
