namespace Imapsync.Tests.Support;

/// <summary>The user that the tests' servers run as: under root an unprivileged user created for them, else the current user.</summary>
public static class ServerAccount
{
    private const string OwnUser = "imapsynctest";

    public static async Task<(string User, string Group)> EnsureAsync()
    {
        if (!Environment.IsPrivilegedProcess)
            return (await Command.RunAsync("id", ["-un"]), await Command.RunAsync("id", ["-gn"]));
        if (!await Command.SucceedsAsync("id", ["-u", OwnUser]))
        {
            // Ignore a failure if the user exists afterwards, because another test project may create it at the same moment.
            await Command.SucceedsAsync("useradd", ["--system", "--no-create-home", "--user-group", "--shell", "/usr/sbin/nologin", OwnUser]);
        }

        return (OwnUser, await Command.RunAsync("id", ["-gn", OwnUser]));
    }

    /// <summary>Gives files written by the test to the servers' user. Only needed when running as root.</summary>
    public static async Task TakeOwnershipAsync(string path)
    {
        if (Environment.IsPrivilegedProcess)
            await Command.RunAsync("chown", ["-R", OwnUser + ":", path]);
    }
}
