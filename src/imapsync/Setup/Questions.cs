using Imapsync.CommandLine.Output;
using Imapsync.Engine.Configuration;

namespace Imapsync.CommandLine.Setup;

/// <summary>Asks a person, unless the command line has answered; without one the default counts.</summary>
/// <param name="takesDefaults">Nobody is asked for what has a default.</param>
internal sealed class Questions(HostContext surroundings, bool takesDefaults)
{
    private static readonly string[] YesOrNo = ["yes", "no"];

    /// <summary>A person can be asked again after an answer that is not good.</summary>
    public bool IsDialogue => !takesDefaults && surroundings.Ask is not null;

    /// <summary>For people.</summary>
    public void Say(string line) => surroundings.Error.WriteLine(TerminalText.Escape(line));

    /// <param name="fallback">What an empty answer means; empty where there must be one.</param>
    /// <param name="given">What the command line says; null for nothing.</param>
    /// <param name="option">Where it would say so.</param>
    /// <exception cref="ConfigurationException">Nobody can be asked, and there is no default.</exception>
    public async Task<string> AskAsync(string question, string fallback, string? given, string option, CancellationToken cancellationToken)
    {
        if (given is not null)
            return given;
        if (!IsDialogue)
            return takesDefaults && fallback.Length > 0 ? fallback : throw Missing(question, option);
        while (true)
        {
            var answer = await surroundings.Ask!(question, fallback, cancellationToken);
            if (answer.Length > 0)
                return answer;
            Say("An answer is needed here.");
        }
    }

    /// <summary>One of some words, of which a beginning is enough.</summary>
    public async Task<string> ChooseAsync(string question, IReadOnlyList<string> words, string fallback, string? given, string option, CancellationToken cancellationToken)
    {
        while (true)
        {
            var answer = await AskAsync($"{question} ({string.Join(", ", words)})", fallback, given, option, cancellationToken);
            if (words.FirstOrDefault(w => w.StartsWith(answer, StringComparison.OrdinalIgnoreCase)) is { } word)
                return word;
            Say($"'{answer}' is none of {string.Join(", ", words)}.");
        }
    }

    public async Task<bool> ConfirmAsync(string question, bool fallback, string? given, string option, CancellationToken cancellationToken) =>
        await ChooseAsync(question, YesOrNo, fallback ? "yes" : "no", given, option, cancellationToken) == "yes";

    public static ConfigurationException Wrong(string option, string message, string remedy) =>
        new([new ConfigurationError(new SettingOrigin(option), message, remedy)]);

    private ConfigurationException Missing(string question, string option) => Wrong(
        option, $"nobody can be asked here: {question}", takesDefaults || surroundings.Ask is not null ? $"give {option}" : $"give {option}, and --yes to take the default of every other question");
}
