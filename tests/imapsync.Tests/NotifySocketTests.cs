namespace Imapsync.CommandLine.Tests;

public sealed class NotifySocketTests
{
    [Theory]
    [InlineData('/', 108)]
    [InlineData('/', 5000)]
    [InlineData('@', 200)]
    [InlineData('/', 20)]
    public void A_socket_that_can_not_be_is_said_once_and_changes_nothing(char first, int length)
    {
        var error = new StringWriter();
        var environment = new Dictionary<string, string> { ["NOTIFY_SOCKET"] = first + new string('x', length) };
        using (var socket = new NotifySocket(environment, TimeProvider.System, error))
        {
            socket.Ready("watching");
            socket.Stopping();
        }

        Assert.StartsWith("NOTIFY_SOCKET: ", Assert.Single(error.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }
}
