namespace Imapsync.Engine.Configuration;

/// <summary>Where a setting was written: a position in a file, or the name of an override.</summary>
/// <param name="Text">The file as the user named it, <c>environment variable X</c> or <c>--set x</c>.</param>
/// <param name="Line">The line number, from 1; 0 for an origin without lines.</param>
public sealed record SettingOrigin(string Text, int Line = 0, int Column = 0) : IComparable<SettingOrigin>
{
    /// <summary>Orders by position in the file; overrides come after all lines.</summary>
    public int CompareTo(SettingOrigin? other) =>
        other is null ? 1 : (Line == 0, Line, Column).CompareTo((other.Line == 0, other.Line, other.Column));

    public override string ToString() => Line == 0 ? Text : Column == 0 ? $"{Text}:{Line}" : $"{Text}:{Line}:{Column}";
}

/// <summary>One mistake in a job file. Its texts never contain a secret.</summary>
/// <param name="Message">What is wrong.</param>
/// <param name="Remedy">How to correct it.</param>
public sealed record ConfigurationError(SettingOrigin Origin, string Message, string Remedy)
{
    public override string ToString() => $"{Origin}: {Message}; {Remedy}";
}

/// <summary>A remark about something in a valid job file that a person should know.</summary>
public sealed record ConfigurationNote(SettingOrigin Origin, string Message)
{
    public override string ToString() => $"{Origin}: {Message}";
}

/// <summary>All mistakes in a job file, in file order.</summary>
public sealed class ConfigurationException(IReadOnlyList<ConfigurationError> errors)
    : Exception(string.Join(Environment.NewLine, errors))
{
    public IReadOnlyList<ConfigurationError> Errors { get; } = errors;
}
