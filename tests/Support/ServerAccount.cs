namespace Imapsync.Tests.Support;

/// <summary>Who the tests' servers run as: as root an unprivileged user made for it, else the current user.</summary>
public static class ServerAccount
{
    private const string OwnUser = "imapsynctest";

    public static async Task<(string User, string Group)> EnsureAsync()
    {
        if (!Environment.IsPrivilegedProcess)
            return (await Command.RunAsync("id", ["-un"]), await Command.RunAsync("id", ["-gn"]));
        if (!await Command.SucceedsAsync("id", ["-u", OwnUser]))
        {
            // Another test project may make it at the same time: that it is there afterwards is what counts.
            await Command.SucceedsAsync("useradd", ["--system", "--no-create-home", "--user-group", "--shell", "/usr/sbin/nologin", OwnUser]);
        }

        return (OwnUser, await Command.RunAsync("id", ["-gn", OwnUser]));
    }

    /// <summary>Gives files that the test wrote to that user. Needed by root alone.</summary>
    public static async Task TakeOwnershipAsync(string path)
    {
        if (Environment.IsPrivilegedProcess)
            await Command.RunAsync("chown", ["-R", OwnUser + ":", path]);
    }
}
