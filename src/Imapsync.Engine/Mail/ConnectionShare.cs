namespace Imapsync.Engine.Mail;

/// <summary>
/// What one account may have of a host whose connections are counted over all accounts: one for as long as it is open, and
/// further ones while others can spare them. Methods may be called from any task.
/// </summary>
public abstract class ConnectionShare
{
    /// <summary>Called, from any task, after a vain <see cref="TryTake"/> when there may be a connection to spare.</summary>
    public Action? OnSpare { get; set; }

    /// <summary>Called, from any task, when others wait: what is not in use should be given back.</summary>
    public Action? OnWanted { get; set; }

    /// <summary>Another account waits that has less: what comes back from its use should be given back.</summary>
    public abstract bool IsWanted { get; }

    /// <summary>One more connection; false where there is none to spare.</summary>
    public abstract bool TryTake();

    /// <summary>Gives back one that <see cref="TryTake"/> gave, after the connection was closed.</summary>
    public abstract void GiveBack();
}
