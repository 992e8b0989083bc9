using System.Reflection;

namespace Imapsync.CommandLine;

internal static class ProgramVersion
{
    /// <summary>The version of this build, such as <c>0.1.0</c>, without the commit that the SDK appends after a plus sign.</summary>
    public static string Text { get; } =
        typeof(ProgramVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";
}
