using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Eml;

/// <summary>A message of a folder, as its index records it.</summary>
/// <param name="Slot">The position of its file's name in the index's table of names.</param>
/// <param name="Size">The octets of its file when it was recorded.</param>
/// <param name="Date">When it was received; default where that is not known. Of a found one the file's time, by which the file is known again.</param>
/// <param name="IsFound">
/// Whether somebody put the file there. The message's date is then its header's, else its file's, and its first line end decides how its line
/// ends are read. Otherwise the file was written by this program and holds the octets as they are.
/// </param>
internal readonly record struct EmlRecord(Uid Uid, int Slot, FlagSet Flags, DateTimeOffset Date, long Size, bool IsFound);
