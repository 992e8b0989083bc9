using Imapsync.Engine.Files;

namespace Imapsync.Engine.State;

/// <summary>
/// Checks the format version of a state file. In every version, current and future, the first line names the version and has its own CRC, so that
/// a newer version can be distinguished from damage.
/// </summary>
internal static class StateVersion
{
    public static void Check(string path, ulong version, ulong known)
    {
        if (version == 0)
            throw new StateDamagedException("it has version 0");
        if (version > known)
        {
            throw new CheckpointVersionException(
                $"{path} has format version {version}, this program reads up to {known}: use the newer version that wrote it, or give the job another state directory (its mail will be matched, not copied again)");
        }
    }
}
