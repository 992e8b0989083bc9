namespace Imapsync.Engine.Mail;

/// <summary>
/// One account's share of the connections to a host, where these are counted over all accounts: one connection for as long as the share is open,
/// and further ones while other accounts can spare them. Methods may be called from any task.
/// </summary>
public abstract class ConnectionShare
{
    /// <summary>Called, from any task, after <see cref="TryTake"/> returned false, when a connection may have become available.</summary>
    public Action? OnSpare { get; set; }

    /// <summary>Called, from any task, when other accounts wait: idle connections should be given back.</summary>
    public Action? OnWanted { get; set; }

    /// <summary>
    /// Whether another account is waiting that has fewer connections: a connection that is no longer used should then be given back.
    /// </summary>
    public abstract bool IsWanted { get; }

    /// <summary>Acquires one more connection; false where none is available.</summary>
    public abstract bool TryTake();

    /// <summary>Gives back a connection acquired by <see cref="TryTake"/>, after it was closed.</summary>
    public abstract void GiveBack();
}
