using System.Collections.Immutable;
using System.Text;

namespace Imapsync.Engine.Configuration;

/// <summary>A key with its value, and a comment for the reader of the job file.</summary>
public sealed record DraftSetting(string Key, string Value, string Comment = "");

/// <summary>
/// A new job that <c>imapsync init</c> writes as a job file that people can edit. The file says where to find a password, for example in an
/// environment variable, and never contains one.
/// </summary>
/// <param name="File">The future path of the job file, for the comment that says how to run it.</param>
public sealed record JobDraft(string Name, string File)
{
    public required ImmutableArray<DraftSetting> Source { get; init; }

    public required ImmutableArray<DraftSetting> Target { get; init; }

    /// <summary>Globs for folders to exclude.</summary>
    public ImmutableArray<string> Exclude { get; init; } = [];

    /// <summary>Keys at the level of the job itself.</summary>
    public ImmutableArray<DraftSetting> Rules { get; init; } = [];

    public string Write()
    {
        var text = new StringBuilder();
        text.Append("# Written by imapsync init. Every key is described in docs/job-file.md.\n");
        text.Append("#   imapsync check ").Append(Plain(File)).Append("   reads it and signs in\n");
        text.Append("#   imapsync run ").Append(Plain(File)).Append("     copies what is new, as often as you like\n");
        text.Append("jobs:\n  - name: ").Append(JobFileText.Scalar(Name)).Append('\n');
        Section(text, "source", Source);
        Section(text, "target", Target);
        text.Append("    folders:\n      # Globs: Lists/** is what lies below Lists.\n");
        if (Exclude.IsEmpty)
            text.Append("      exclude: []\n");
        else
            text.Append("      exclude:\n");
        foreach (var glob in Exclude)
            text.Append("        - ").Append(JobFileText.Scalar(glob)).Append('\n');
        foreach (var setting in Rules)
            Setting(text, "    ", setting);
        text.Append("    # Further keys, if you need them:\n");
        text.Append("    # messages: { since: 2020-01-01, max_size: 50MB }\n");
        text.Append("    # max_duration: 6h\n");
        return text.ToString();
    }

    private static void Section(StringBuilder text, string name, ImmutableArray<DraftSetting> settings)
    {
        text.Append("    ").Append(name).Append(":\n");
        foreach (var setting in settings)
            Setting(text, "      ", setting);
    }

    private static void Setting(StringBuilder text, string lead, DraftSetting setting)
    {
        text.Append(lead).Append(setting.Key).Append(": ").Append(JobFileText.Scalar(setting.Value));
        if (setting.Comment.Length > 0)
            text.Append("   # ").Append(Plain(setting.Comment));
        text.Append('\n');
    }

    /// <summary>Removes line breaks and control characters, so that the comment fits on one line.</summary>
    private static string Plain(string comment) => string.Concat(comment.Where(c => !char.IsControl(c) && c is not ('\u2028' or '\u2029')));
}
