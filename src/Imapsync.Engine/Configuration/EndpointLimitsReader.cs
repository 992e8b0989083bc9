using System.Globalization;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Configuration;

/// <summary>Reads <c>limits:</c> and <c>timeouts:</c> of a source or target.</summary>
internal sealed class EndpointLimitsReader(JobReadContext reading, SettingNode endpoint)
{
    private const int MaxConnections = 32;
    private const double LeastMessagesPerSecond = 0.001;

    public TransferLimits Read() => endpoint["limits"] is not { Kind: SettingKind.Mapping } limits
        ? TransferLimits.None
        : new TransferLimits
        {
            BytesPerSecond = Size(limits, "bytes_per_second"),
            MessagesPerSecond = Rate(limits, "messages_per_second"),
            BytesPerDay = Size(limits, "bytes_per_day"),
        };

    /// <summary>
    /// Reads the number of connections. The endpoint's own <c>connections</c> key is a short form of <c>limits: connections</c>.
    /// </summary>
    public int ReadConnections()
    {
        var (inner, outer) = (endpoint["limits"]?["connections"], endpoint["connections"]);
        if (inner is { Kind: SettingKind.Value, IsOverride: false } && outer is { Kind: SettingKind.Value, IsOverride: false })
            reading.Error(outer.KeyOrigin, "'connections' is given here and in 'limits'", "remove one of them");
        // An override from the environment or command line takes precedence over the file.
        var node = inner is { Kind: SettingKind.Value } && outer is not { Kind: SettingKind.Value, IsOverride: true } ? inner : outer;
        if (node is not { Kind: SettingKind.Value, Value: { } text })
            return ImapEndpoint.DefaultConnections;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count is >= 1 and <= MaxConnections)
            return count;
        reading.Error(node.ValueOrigin, $"'{text}' is no number of connections", $"write a number from 1 to {MaxConnections}");
        return ImapEndpoint.DefaultConnections;
    }

    public ServerTimeouts ReadTimeouts()
    {
        var usual = new ServerTimeouts();
        return endpoint["timeouts"] is not { Kind: SettingKind.Mapping } timeouts
            ? usual
            : new ServerTimeouts
            {
                Connect = reading.Duration(timeouts, "connect", atMostADay: true) ?? usual.Connect,
                Greeting = reading.Duration(timeouts, "greeting", atMostADay: true) ?? usual.Greeting,
                Stall = reading.Duration(timeouts, "stall", atMostADay: true) ?? usual.Stall,
            };
    }

    public long? Size(SettingNode section, string key)
    {
        if (section.Text(key) is not { } text)
            return null;
        if (SettingText.TrySize(text, out var bytes) && bytes > 0)
            return bytes;
        reading.Error(section.Origin(key), $"'{text}' is no size for '{key}'", "write a number above 0 with B, KB, MB, GB, KiB, MiB or GiB, for example 2MB");
        return null;
    }

    public double? Rate(SettingNode section, string key)
    {
        if (section.Text(key) is not { } text)
            return null;
        if (double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var rate) && rate is >= LeastMessagesPerSecond and <= 1e9)
            return rate;
        reading.Error(section.Origin(key), $"'{text}' is no number of messages", "write a number above 0, for example 10 or 0.5");
        return null;
    }
}
