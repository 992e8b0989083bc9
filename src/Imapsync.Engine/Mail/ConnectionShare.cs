namespace Imapsync.Engine.Mail;

/// <summary>
/// One account's share of the connections to a host, if all accounts together have a limit. The share always includes one connection, and
/// more while other accounts don't need them. Thread-safe.
/// </summary>
public abstract class ConnectionShare
{
    /// <summary>Called, from any task, after <see cref="TryTake"/> returned false, when a connection may have become available.</summary>
    public Action? OnSpare { get; set; }

    /// <summary>
    /// Called, from any task, when other accounts wait for a connection. The receiver should then give back idle connections.
    /// </summary>
    public Action? OnWanted { get; set; }

    /// <summary>Whether an account with fewer connections is waiting for one. An unused connection should then be given back.</summary>
    public abstract bool IsWanted { get; }

    /// <summary>Acquires one more connection; false where none is available.</summary>
    public abstract bool TryTake();

    /// <summary>Gives back a connection acquired by <see cref="TryTake"/>, after it was closed.</summary>
    public abstract void GiveBack();
}
