using System.CommandLine;

namespace Imapsync.CommandLine.Commands;

/// <summary><c>imapsync completion</c>: prints a script with which the shell asks the program for completions.</summary>
internal static class CompletionCommand
{
    // The completions include names from a job file, so the shell only compares and quotes them and never evaluates them.
    private const string Bash = """
        _imapsync() {
            local current=${COMP_WORDS[COMP_CWORD]} word
            COMPREPLY=()
            while IFS= read -r word; do
                [[ $word == "$current"* ]] && COMPREPLY+=("$(printf %q "$word")")
            done < <(command imapsync "[suggest:$COMP_POINT]" "$COMP_LINE" 2>/dev/null)
        }
        complete -o default -F _imapsync imapsync
        """;

    private const string Zsh = """
        #compdef imapsync
        _imapsync() {
            local -a found
            found=(${(f)"$(command imapsync "[suggest:$CURSOR]" "$BUFFER" 2>/dev/null)"})
            (( $#found )) && compadd -- $found
            _files
        }
        # Autoloaded from fpath this is the function's first call, sourced it is the registration.
        if [[ $funcstack[1] == _imapsync ]]; then _imapsync; else compdef _imapsync imapsync; fi
        """;

    private const string Fish = """
        complete -c imapsync -a '(command imapsync "[suggest:"(commandline -C)"]" (commandline -cp) 2>/dev/null)'
        """;

    public static Command Create(HostContext surroundings)
    {
        var command = new ExampleCommand("completion", "Print a script that completes commands, options and job names.",
            ("source <(imapsync completion bash)", "For this bash; put it into ~/.bashrc for every one."),
            ("imapsync completion zsh > ~/.zfunc/_imapsync", "For zsh, with ~/.zfunc in fpath."),
            ("imapsync completion fish > ~/.config/fish/completions/imapsync.fish", "For fish."));
        var shell = new Argument<string>("SHELL") { Description = "bash, zsh or fish." };
        shell.AcceptOnlyFromAmong("bash", "zsh", "fish");
        command.Add(shell);
        command.SetAction(async (parsed, _) =>
        {
            await surroundings.Out.WriteLineAsync(parsed.GetValue(shell) switch { "zsh" => Zsh, "fish" => Fish, _ => Bash });
            return ExitStatus.Ok;
        });
        return command;
    }
}
