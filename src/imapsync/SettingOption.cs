using System.CommandLine;
using Imapsync.Engine.Configuration;

namespace Imapsync.CommandLine;

/// <summary>An option that sets a setting of a job file. There are many, so the help groups them by topic.</summary>
internal sealed class SettingOption(string name, JobSetting setting) : Option<string[]>(name)
{
    private const string LogIn = "Log-in", Way = "The way to the server";

    public JobSetting Setting { get; } = setting;

    /// <summary>The topic's heading in the help; null if the option is listed with the command's own options.</summary>
    public string? Heading { get; } = HeadingOf(setting);

    private static string? HeadingOf(JobSetting setting) => setting.Path switch
    {
        ["name"] or ["state"] => null,
        ["folders", ..] or ["labels"] => "Which folders, and where they go",
        ["messages", ..] => "Which messages",
        ["flags"] or ["stage"] or ["cutover"] or ["newest_first"] => "Flags and order",
        ["deletions"] or ["deletion_limit"] or ["trash_folder"] => "Deletions",
        ["acl"] or ["acl_map"] or ["repair"] => "Rights and repair",
        ["retry", ..] or ["max_duration"] => "Patience",
        ["provider"] or ["auth"] or ["authorize_as"] or ["token_command"] => LogIn,
        [var key] when key.StartsWith("password_", StringComparison.Ordinal) => LogIn,
        [var key] when key.StartsWith("tls", StringComparison.Ordinal) => "Encryption",
        [var key] when key.StartsWith("proxy", StringComparison.Ordinal) => Way,
        ["tunnel_command"] or ["address_family"] or ["timeouts", ..] or ["compress"] => Way,
        ["connections"] or ["limits", ..] => "Limits",
        _ => "Kinds of stores",
    };
}
