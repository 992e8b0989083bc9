using Imapsync.Engine.Files;

namespace Imapsync.Engine.State;

/// <summary>
/// The first line of each file of state names its format's version and has its own CRC, in every version to come:
/// so a newer version can be told from damage.
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
