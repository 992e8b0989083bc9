using System.Globalization;
using Imapsync.Fleet.Preflights;

namespace Imapsync.Fleet.Dashboard;

/// <summary>A check (preflight) of a list of accounts, as the pages show it.</summary>
internal sealed class CheckLine(PreflightView check)
{
    public string State => check.State.ToString().ToLowerInvariant();

    public string Checked => Words.Number(check.Checked);

    public string Failed => Words.Number(check.Failed);

    public string Sentence => check.State switch
    {
        PreflightState.Running => $"{Checked} of {Words.Number(check.Rows)} rows checked, {Failed} of them failed.",
        PreflightState.Cancelled => $"Stopped: {Checked} of {Words.Number(check.Rows)} rows checked, {Failed} of them failed.",
        _ => $"All {Words.Number(check.Rows)} rows checked, {Failed} of them failed.",
    };

    public string Share => Words.Percent(check.Checked, check.Rows);

    /// <summary>How much is to be copied; empty if that was not counted.</summary>
    public string Amount => check.OctetsLeft is { } octets ? $"{Words.Number(check.MessagesLeft)} messages, {Words.Size(octets)} to copy{Duration}" : "";

    /// <summary>A text that changes whenever a row gets its result.</summary>
    public string Version => string.Create(CultureInfo.InvariantCulture, $"{State}.{check.Checked}.{check.Failed}");

    /// <summary>The texts that an open page updates, each with the name in its <c>data-live</c> attribute.</summary>
    public IEnumerable<(string Name, string Text)> Texts => [("check-sentence", Sentence), ("check-share", Share), ("check-amount", Amount), ("check", Version)];

    private string Duration => check.EstimatedSeconds is { } seconds and > 0 ? string.Create(CultureInfo.InvariantCulture, $", about {Math.Max(1, Math.Ceiling(seconds / 60)):0} min") : "";
}
