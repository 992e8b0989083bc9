using Imapsync.Engine.Mail;

namespace Imapsync.Serving.Mailboxes;

/// <summary>A folder as clients are told of it.</summary>
/// <param name="WireName">Modified UTF-7, levels joined by <c>/</c>.</param>
/// <param name="Path">Where it lies in the store; null for an INBOX that is not there and is shown empty.</param>
/// <param name="Use"><c>\Sent</c> and the like (RFC 6154), or null.</param>
internal sealed record ServedFolder(string WireName, FolderPath? Path, bool HoldsMessages, bool IsSubscribed, bool HasChildren, string? Use);
