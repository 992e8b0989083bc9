using System.Collections.Immutable;
using Imapsync.Engine.Configuration;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Providers;

namespace Imapsync.CommandLine.Setup;

/// <summary>An IMAP account as far as setting it up has come.</summary>
/// <param name="Address">As the person gave it.</param>
/// <param name="Settings">The keys of its section in the job file, but for a password that was typed.</param>
internal sealed record Account(string Address, ImmutableArray<DraftSetting> Settings)
{
    /// <summary>The password, where a person typed one.</summary>
    public Secret? Typed { get; init; }

    /// <summary>A person has to sign in by OAuth before anything can be tried.</summary>
    public bool NeedsLogin { get; init; }

    public Provider? Provider => Value("provider") is { } name ? ProviderTable.Find(name) : null;

    /// <summary>At the one place where a provider is, with a certificate that an authority stands behind.</summary>
    public bool IsAtProvider => Value("url") is null && Provider is { Host: not null, IsSelfSigned: false };

    /// <summary>False where a URL of another kind was given: a directory, POP3.</summary>
    public bool IsImap => Value("url") is not { } url || url.StartsWith("imap:", StringComparison.OrdinalIgnoreCase) || url.StartsWith("imaps:", StringComparison.OrdinalIgnoreCase);

    /// <exception cref="ConfigurationException"/>
    public ImapEndpoint Endpoint(string side, HostContext surroundings)
    {
        var settings = Settings.Where(s => s.Key != "oauth").Select(s => new GivenSetting($"--{side}-{s.Key.Replace('_', '-')}", [s.Key], s.Value)).ToList();
        return (ImapEndpoint)JobFileReader.ReadEndpoint(Directory.GetCurrentDirectory(), settings, surroundings.JobFileOptions with { Prompt = (_, _) => ValueTask.FromResult(Typed ?? new Secret("")) });
    }

    private string? Value(string key) => Settings.FirstOrDefault(s => s.Key == key)?.Value;
}
