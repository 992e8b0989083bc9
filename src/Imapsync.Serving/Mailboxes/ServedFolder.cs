using Imapsync.Engine.Mail;

namespace Imapsync.Serving.Mailboxes;

/// <summary>A folder as it is presented to clients.</summary>
/// <param name="WireName">Modified UTF-7, levels joined by <c>/</c>.</param>
/// <param name="Path">The path in the store; null if the store has no INBOX, which is then shown empty.</param>
/// <param name="Use">The special use, e.g. <c>\Sent</c> (RFC 6154), or null.</param>
internal sealed record ServedFolder(string WireName, FolderPath? Path, bool HoldsMessages, bool IsSubscribed, bool HasChildren, string? Use);
