using System.CommandLine;
using System.ComponentModel;
using System.Diagnostics;
using Imapsync.CommandLine.Output;
using Imapsync.Engine.SigningIn;

namespace Imapsync.CommandLine.Commands;

/// <summary><c>imapsync login</c>: lets a person sign in once for all future runs.</summary>
internal static class LoginCommand
{
    public static Command Create(HostContext surroundings)
    {
        var command = new ExampleCommand("login", "Sign in by OAuth 2 and keep the sign-in for the job's runs. Needs no terminal.",
            ("imapsync login jobs.yaml alice", "Show an address and a code, and wait until somebody has signed in there."),
            ("imapsync login jobs.yaml alice target --browser", "Open the address of the target's provider in this machine's browser."));
        var arguments = new SignInArguments(command);
        var browser = new Option<bool>("--browser") { Description = "Open the address in the browser; without it nothing is opened." };
        var key = new Option<string>("--key")
        {
            Description = "Where to keep the key that the sign-in is encrypted with: auto, the system's store of secrets where there is one; or file, beside the sign-in.",
            DefaultValueFactory = _ => "auto",
        };
        key.AcceptOnlyFromAmong("auto", "file");
        command.Add(browser);
        command.Add(key);
        command.SetAction((parsed, cancellationToken) => StopSignals.GuardAsync(
            surroundings.Time,
            (_, stop) => arguments.EachAsync(parsed, surroundings, (side, signIn) =>
                RunAsync(side, signIn, parsed.GetValue(browser), parsed.GetValue(key) == "file" ? KeyPlace.File : KeyPlace.Best, surroundings, stop), stop),
            cancellationToken));
        return command;
    }

    private static async Task RunAsync(string side, OAuthSignIn signIn, bool opensBrowser, KeyPlace key, HostContext surroundings, CancellationToken stop)
    {
        void Tell(string line) => surroundings.Out.WriteLine(TerminalText.Escape(line));
        if (!signIn.NeedsPerson)
        {
            await signIn.ReadAsync(stop);
            Tell($"{side}: nobody has to sign in to {signIn.ProviderName} with this grant; a token was had.");
            return;
        }

        var dialogue = new SignInDialogue(Tell, opensBrowser ? address => Open(address, surroundings) : null);
        var place = await signIn.SignInAsync(dialogue, key, stop);
        Tell($"{side}: signed in to {signIn.ProviderName}. The sign-in is kept in {signIn.KeptFile},");
        Tell(place.Length > 0
            ? $"encrypted with a key in {place}."
            : "encrypted with a key in a file beside it: a copy of one of the two is of no use to anybody, whoever can read both has the sign-in.");
    }

    /// <summary>
    /// Opens a URL in the browser named by BROWSER, or else in the system's default. A failure is harmless, since the URL is also on the
    /// screen.
    /// </summary>
    private static void Open(Uri address, HostContext surroundings)
    {
        var opener = surroundings.Environment.GetValueOrDefault("BROWSER") is { Length: > 0 } chosen ? chosen
            : OperatingSystem.IsMacOS() ? "open" : OperatingSystem.IsWindows() ? "explorer" : "xdg-open";
        try
        {
            // Discard the browser's output. The URL is an argument of the shell and not part of its script,
            // so the shell does not interpret it.
            var (program, first) = OperatingSystem.IsWindows() ? (opener, Array.Empty<string>()) : ("/bin/sh", ["-c", "exec \"$0\" \"$1\" >/dev/null 2>&1 </dev/null", opener]);
            using var process = Process.Start(new ProcessStartInfo(program, [.. first, address.AbsoluteUri]) { UseShellExecute = false });
        }
        catch (Win32Exception e)
        {
            surroundings.Error.WriteLine(TerminalText.Escape($"note: no browser could be opened: {e.Message}"));
        }
    }
}
