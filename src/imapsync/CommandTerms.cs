using System.CommandLine;
using System.CommandLine.Completions;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores;

namespace Imapsync.CommandLine;

/// <summary>How arguments and options are written in the help and in the manual.</summary>
internal static class CommandTerms
{
    /// <summary>
    /// The help lists an option's allowed values only if there are at most this many, because a longer list would fill the screen.
    /// Completion offers all values.
    /// </summary>
    public const int MostWordsShown = 16;

    /// <summary>
    /// The URL forms of all stores that can be a source, separated by commas: <c>imaps://USER@HOST, maildir:PATH</c> and so on.
    /// </summary>
    public static string SourceUrls { get; } = Forms(StoreRegistry.Kinds);

    /// <summary>The URL forms of all stores that can be a target, separated by commas.</summary>
    public static string TargetUrls { get; } = Forms(StoreRegistry.Kinds.Where(k => !k.IsSourceOnly));

    /// <summary>Returns an argument as it is typed: <c>FILE</c>, <c>[JOB...]</c>.</summary>
    public static string Synopsis(Argument argument)
    {
        var name = argument.HelpName ?? (argument.Arity.MaximumNumberOfValues > 1 ? argument.Name + "..." : argument.Name);
        return argument.Arity.MinimumNumberOfValues == 0 ? $"[{name}]" : name;
    }

    /// <summary>Returns whether an option is followed by a value.</summary>
    public static bool TakesValue(Option option) => option.Arity.MaximumNumberOfValues > 0 && option.ValueType != typeof(bool);

    /// <summary>Returns the values that an option allows; empty if any text is allowed, or if there are too many values to list.</summary>
    public static IReadOnlyList<string> Words(Option option)
    {
        if (option.ValueType == typeof(bool) || (option.HelpName is { } name && !name.Contains('|')))
            return [];
        List<string> words = [.. option.GetCompletions(CompletionContext.Empty).Select(c => c.Label)];
        return words.Count > MostWordsShown ? [] : words;
    }

    /// <summary>Returns an option's default value; null if it has none or an empty one.</summary>
    public static object? Default(Option option) =>
        option.HasDefaultValue && option.ValueType != typeof(bool) && option.GetDefaultValue() is { } value and not (Array or "") ? value : null;

    private static string Forms(IEnumerable<StoreKind> kinds) => string.Join(", ", kinds.SelectMany(k => k.UrlForms));
}
