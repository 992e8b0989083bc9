using Imapsync.CommandLine.Output;
using Imapsync.Engine.Configuration;

namespace Imapsync.CommandLine.Setup;

/// <summary>Asks a person the questions that the command line has not answered. If nobody can be asked, the default is used.</summary>
/// <param name="takesDefaults">Whether to use each default without asking.</param>
internal sealed class Questions(HostContext surroundings, bool takesDefaults)
{
    private static readonly string[] YesOrNo = ["yes", "no"];

    /// <summary>Whether a person can be asked, and asked again after an invalid answer.</summary>
    public bool IsDialogue => !takesDefaults && surroundings.Ask is not null;

    /// <summary>Shows a line of text to the person.</summary>
    public void Say(string line) => surroundings.Error.WriteLine(TerminalText.Escape(line));

    /// <summary>
    /// Shows a line that contains a command to copy. The line is never broken, even on a narrow terminal, so that the copied command works.
    /// </summary>
    public void Show(string line) => surroundings.Error.Write(TerminalText.Escape(line) + "\n");

    /// <param name="fallback">The default for an empty answer; empty when an answer is required.</param>
    /// <param name="given">The answer from the command line; null for none.</param>
    /// <param name="option">The option that gives the answer on the command line.</param>
    /// <exception cref="ConfigurationException">No person can be asked, and there is no default.</exception>
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

    /// <summary>Asks for one of several words, of which a prefix suffices.</summary>
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
