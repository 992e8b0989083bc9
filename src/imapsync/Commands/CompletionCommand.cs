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

    // PowerShell counts $position from the start of the input, so subtract the start of the command. $command lacks trailing blanks, so pad
    // it up to the position.
    private const string PowerShell = """
        Register-ArgumentCompleter -Native -CommandName imapsync -ScriptBlock {
            param($word, $command, $position)
            $at = $position - $command.Extent.StartOffset
            $program = (Get-Command -CommandType Application imapsync -ErrorAction Ignore | Select-Object -First 1).Source
            if (-not $program) { return }
            & $program "[suggest:$at]" ("$command".PadRight($at)) 2>$null | Where-Object { $_.StartsWith($word, [StringComparison]::Ordinal) } | ForEach-Object {
                $text = if ($_ -match '^[\w./:=-]+$') { $_ } else { "'" + [Management.Automation.Language.CodeGeneration]::EscapeSingleQuotedStringContent($_) + "'" }
                [Management.Automation.CompletionResult]::new($text, $_, 'ParameterValue', $_)
            }
        }
        """;

    public static Command Create(HostContext surroundings)
    {
        var command = new ExampleCommand("completion", "Print a script that completes commands, options and job names.",
            ("source <(imapsync completion bash)", "For this bash; put it into ~/.bashrc for every one."),
            ("imapsync completion zsh > ~/.zfunc/_imapsync", "For zsh, with ~/.zfunc in fpath."),
            ("imapsync completion fish > ~/.config/fish/completions/imapsync.fish", "For fish."),
            ("imapsync completion powershell | Out-String | Invoke-Expression", "For PowerShell; put it into $PROFILE for every one."));
        var shell = new Argument<string>("SHELL") { Description = "bash, zsh, fish or powershell." };
        shell.AcceptOnlyFromAmong("bash", "zsh", "fish", "powershell");
        command.Add(shell);
        command.SetAction(async (parsed, _) =>
        {
            await surroundings.Out.WriteLineAsync(parsed.GetValue(shell) switch { "zsh" => Zsh, "fish" => Fish, "powershell" => PowerShell, _ => Bash });
            return ExitStatus.Ok;
        });
        return command;
    }
}
