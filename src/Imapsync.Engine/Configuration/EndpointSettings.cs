using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Configuration;

/// <summary>The settings of a <c>source:</c> or <c>target:</c>, for the reader of its kind of store (IMAP, Maildir, mbox ...).</summary>
/// <param name="isWanted">Whether the job will run, so that files and variables named in the settings must exist.</param>
internal sealed class EndpointSettings(JobReadContext reading, SettingNode section, EndpointUrl url, bool isWanted) : IEndpointSettings
{
    public string Scheme => url.Scheme;

    public int Connections => new EndpointLimitsReader(reading, section).ReadConnections();

    public string? ReadPath() => url.ReadPath();

    public T? ReadServer<T>(int securePort, int plainPort, Func<string, int, TlsMode, string, T> make)
        where T : ServerEndpoint =>
        new ServerReader(reading, isWanted).Read(section, url, securePort, plainPort, make);

    public TValue Choice<TValue>(string key, params ReadOnlySpan<(string Word, TValue Value)> values) => section.Choice(key, values);
}
