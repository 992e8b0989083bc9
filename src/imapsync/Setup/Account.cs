using System.Collections.Immutable;
using Imapsync.Engine.Configuration;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Providers;

namespace Imapsync.CommandLine.Setup;

/// <summary>An IMAP account during setup.</summary>
/// <param name="Address">The address as the person gave it.</param>
/// <param name="Settings">The keys for the job file, except for a typed password.</param>
internal sealed record Account(string Address, ImmutableArray<DraftSetting> Settings)
{
    /// <summary>The password, if a person typed one.</summary>
    public Secret? Typed { get; init; }

    /// <summary>Whether a person has to sign in by OAuth before the account can be tested.</summary>
    public bool NeedsLogin { get; init; }

    public Provider? Provider => Value("provider") is { } name ? ProviderTable.Find(name) : null;

    /// <summary>Whether the account is on a known provider's own host, whose certificate is signed by an authority.</summary>
    public bool IsAtProvider => Value("url") is null && Provider is { Host: not null, IsSelfSigned: false };

    /// <summary>False if the URL is that of a directory or of a POP3 server.</summary>
    public bool IsImap => Value("url") is not { } url || url.StartsWith("imap:", StringComparison.OrdinalIgnoreCase) || url.StartsWith("imaps:", StringComparison.OrdinalIgnoreCase);

    /// <exception cref="ConfigurationException">A setting is invalid.</exception>
    public ImapEndpoint Endpoint(string side, HostContext surroundings)
    {
        var settings = Settings.Where(s => s.Key != "oauth").Select(s => new GivenSetting($"--{side}-{s.Key.Replace('_', '-')}", [s.Key], s.Value)).ToList();
        return (ImapEndpoint)JobFileReader.ReadEndpoint(Directory.GetCurrentDirectory(), settings, surroundings.JobFileOptions with { Prompt = (_, _) => ValueTask.FromResult(Typed ?? new Secret("")) });
    }

    private string? Value(string key) => Settings.FirstOrDefault(s => s.Key == key)?.Value;
}
