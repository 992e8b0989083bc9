using Imapsync.Engine.State;

namespace Imapsync.Engine.SigningIn;

/// <summary>Where a job stores one side's sign-in, and the command that creates it.</summary>
/// <param name="Directory">The job's state directory.</param>
/// <param name="Side"><c>source</c> or <c>target</c>.</param>
/// <param name="Command">The command for a person to run: <c>imapsync login FILE JOB source</c>.</param>
internal sealed record SignInPlace(string Directory, string Side, string Command)
{
    public string File => Path.Combine(Directory, StateDirectory.SignInPrefix + Side);

    public string LockFile => File + ".lock";
}
