using System.CommandLine;
using System.Text.Json;
using Imapsync.CommandLine.Output;
using Imapsync.Engine.Configuration;
using Imapsync.Engine.Providers;

namespace Imapsync.CommandLine.Commands;

/// <summary><c>imapsync providers</c>: shows the known facts about mail providers and server software.</summary>
internal static class ProvidersCommand
{
    public static Command Create(HostContext surroundings)
    {
        var command = new ExampleCommand("providers", "Show the mail providers that 'provider:' knows, or all that is known of one.",
            ("imapsync providers", "List them."),
            ("imapsync providers gmail", "Show one: server, sign-in, limits, what is peculiar."));
        var name = new Argument<string?>("NAME") { Description = "One of them.", Arity = ArgumentArity.ZeroOrOne };
        name.CompletionSources.Add([.. ProviderTable.Names]);
        name.Validators.Add(JobFileArguments.RefuseOptions);
        var output = JobFileArguments.OutputOption();
        command.Add(name);
        command.Add(output);
        command.SetAction(async (parsed, _) =>
        {
            var rows = parsed.GetValue(name) is { } word ? [Find(word)] : ProviderTable.All;
            if (parsed.GetValue(output) == "json")
                await surroundings.Out.WriteLineAsync(JsonSerializer.Serialize(new ProvidersJson([.. rows.Select(ProviderJson.Of)]), DocumentJson.Default.ProvidersJson));
            else if (rows is [var one])
                Print(one, surroundings.Out);
            else
                TextTable.Print([["NAME", "PROVIDER", "SERVER", "SIGN-IN"], .. rows.Select(r => new[] { r.Name, r.Title, r.Address ?? "your own", ProviderText.SignIn(r) })], leftColumns: 4, surroundings.Out);
            return ExitStatus.Ok;
        });
        return command;
    }

    /// <exception cref="ConfigurationException"/>
    private static Provider Find(string word)
    {
        if (ProviderTable.Find(word.ToLowerInvariant()) is { } provider)
            return provider;
        var nearest = EditDistance.Nearest(word, ProviderTable.Names);
        throw new ConfigurationException([new ConfigurationError(new SettingOrigin("NAME"), $"'{word}' is no provider that is known",
            nearest is null ? "'imapsync providers' lists them" : $"did you mean '{nearest}'?")]);
    }

    private static void Print(Provider row, TextWriter output)
    {
        output.WriteLine($"{row.Name}: {row.Title}");
        foreach (var (label, text) in ProviderText.Facts(row))
            output.WriteLine($"  {label + ":",-16}{text}");
        foreach (var quirk in row.Quirks)
            output.WriteLine($"  - {quirk}");
        output.WriteLine(row.Host is null
            ? $"\n  source: {{ provider: {row.Name}, url: imaps://USER@SERVER, password_file: … }}"
            : $"\n  source: {{ provider: {row.Name}, user: {row.UserOf("alice@" + (row.Domains is [var domain, ..] ? domain : "example.com"))}, {(row.NeedsOAuth ? $"oauth: {row.OAuth}" : "password_file: …")} }}");
    }
}
