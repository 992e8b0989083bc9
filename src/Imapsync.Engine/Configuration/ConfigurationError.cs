namespace Imapsync.Engine.Configuration;

/// <summary>Where a setting was written: a place in a file, or the name of an override.</summary>
/// <param name="Text">The file as the user named it, <c>environment variable X</c> or <c>--set x</c>.</param>
/// <param name="Line">From 1; 0 where there are no lines.</param>
public sealed record SettingOrigin(string Text, int Line = 0, int Column = 0) : IComparable<SettingOrigin>
{
    /// <summary>In the order of the file, overrides after it.</summary>
    public int CompareTo(SettingOrigin? other) =>
        other is null ? 1 : (Line == 0, Line, Column).CompareTo((other.Line == 0, other.Line, other.Column));

    public override string ToString() => Line == 0 ? Text : Column == 0 ? $"{Text}:{Line}" : $"{Text}:{Line}:{Column}";
}

/// <summary>One mistake in a job file. Its texts never hold a secret.</summary>
/// <param name="Message">What is wrong.</param>
/// <param name="Remedy">What to do about it.</param>
public sealed record ConfigurationError(SettingOrigin Origin, string Message, string Remedy)
{
    public override string ToString() => $"{Origin}: {Message}; {Remedy}";
}

/// <summary>Something in a job file that works but that a person should know.</summary>
public sealed record ConfigurationNote(SettingOrigin Origin, string Message)
{
    public override string ToString() => $"{Origin}: {Message}";
}

/// <summary>All that is wrong with a job file, in the order of the file.</summary>
public sealed class ConfigurationException(IReadOnlyList<ConfigurationError> errors)
    : Exception(string.Join(Environment.NewLine, errors))
{
    public IReadOnlyList<ConfigurationError> Errors { get; } = errors;
}
