using System.Reflection;

namespace Imapsync.CommandLine;

internal static class ProgramVersion
{
    /// <summary>As built, <c>0.1.0</c>, without the commit that the SDK appends after a plus.</summary>
    public static string Text { get; } =
        typeof(ProgramVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";
}
