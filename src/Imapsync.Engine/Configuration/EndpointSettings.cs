using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Configuration;

/// <summary>A <c>source:</c> or <c>target:</c> of a job as its kind of store reads it.</summary>
/// <param name="isWanted">The job will be run: what the settings point at must be there.</param>
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
