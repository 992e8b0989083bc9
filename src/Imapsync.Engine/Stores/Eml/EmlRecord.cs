using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Eml;

/// <summary>A message of a folder, as its index records it.</summary>
/// <param name="Slot">The position of the file's name in the index's table of names.</param>
/// <param name="Size">The size of the file in octets when it was recorded.</param>
/// <param name="Date">
/// When the message was received; default if unknown. If <paramref name="IsFound"/> is true, the file's modification time, by which the file
/// is recognised after it was renamed.
/// </param>
/// <param name="IsFound">
/// True if somebody else put the file there. The message's date is then taken from its header, or else from the file, and the first line end
/// decides how all line ends are read. False if this program wrote the file, which then holds the message's octets unchanged.
/// </param>
internal readonly record struct EmlRecord(Uid Uid, int Slot, FlagSet Flags, DateTimeOffset Date, long Size, bool IsFound);
