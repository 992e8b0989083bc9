using System.CommandLine;
using Imapsync.CommandLine.Output;
using Imapsync.Engine.Configuration;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.SigningIn;

namespace Imapsync.CommandLine.Commands;

/// <summary>
/// The arguments of login and logout: a job and, optionally, one side (source or target); by default all sides that sign in by OAuth.
/// </summary>
internal sealed class SignInArguments
{
    private const string Source = "source";
    private const string Target = "target";

    private readonly Argument<string?> side = new("SIDE")
    {
        Description = "source or target; each that has 'oauth' by default.",
        HelpName = $"{Source}|{Target}",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private readonly JobFileArguments arguments;

    public SignInArguments(Command command)
    {
        side.AcceptOnlyFromAmong(Source, Target);
        arguments = new JobFileArguments(command, next: side);
    }

    /// <summary>Returns the job's sides that sign in by OAuth, with their names.</summary>
    /// <exception cref="ConfigurationException">No side signs in by OAuth.</exception>
    public IReadOnlyList<(string Side, OAuthSignIn SignIn)> Read(ParseResult parsed, HostContext surroundings, CancellationToken stop)
    {
        var asked = parsed.GetValue(side);
        // Read the job without secrets first, to find out which sides sign in. Then only those sides' secrets have to exist.
        var (usesSource, usesTarget) = (asked != Target && Has(Source), asked != Source && Has(Target));
        if (!usesSource && !usesTarget)
        {
            throw new ConfigurationException([new ConfigurationError(
                new SettingOrigin("command line"),
                asked is null ? "neither source nor target of this job has 'oauth'" : $"the {asked} of this job has no 'oauth'",
                "docs/sign-in.md says how to add it; a password and 'token_command' need no sign-in")]);
        }

        var job = arguments.Read(parsed, surroundings, usesSource, usesTarget, stop).Jobs[0];
        return [.. Sides(job).Where(s => s.Side == Source ? usesSource : usesTarget)];

        bool Has(string name) => Sides(arguments.Read(parsed, surroundings, usesSource: false, usesTarget: false, stop).Jobs[0]).Any(s => s.Side == name);
    }

    /// <summary>Performs an action for each side and reports failures.</summary>
    /// <returns>The exit status.</returns>
    public async Task<int> EachAsync(ParseResult parsed, HostContext surroundings, Func<string, OAuthSignIn, Task> act, CancellationToken stop)
    {
        var statuses = new List<int>();
        foreach (var (name, signIn) in Read(parsed, surroundings, stop))
        {
            try
            {
                await act(name, signIn);
            }
            catch (MailException e)
            {
                await surroundings.Error.WriteLineAsync(TerminalText.Escape($"{name}: {e.Message}"));
                statuses.Add(ExitStatus.Of(e));
            }
            catch (Exception e) when (Engine.Files.FileErrors.Is(e))
            {
                await surroundings.Error.WriteLineAsync(TerminalText.Escape($"{name}: {Engine.Files.FileErrors.Explain(e)}"));
                statuses.Add(ExitStatus.Failed);
            }
        }

        return ExitStatus.Worst(statuses);
    }

    private static IEnumerable<(string Side, OAuthSignIn SignIn)> Sides(JobDefinition job)
    {
        foreach (var (name, endpoint) in new[] { (Source, job.Source), (Target, job.Target) })
        {
            if (endpoint is ServerEndpoint { Password: OAuthSignIn signIn })
                yield return (name, signIn);
        }
    }
}
