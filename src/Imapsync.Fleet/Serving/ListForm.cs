using System.Globalization;
using System.Text;
using Imapsync.Engine.Configuration;
using Imapsync.Fleet.Executing;
using Imapsync.Fleet.Listing;
using Imapsync.Fleet.Submitting;

namespace Imapsync.Fleet.Serving;

/// <summary>The fields of a form that submits a list, apart from its two files.</summary>
/// <param name="NextRun">When the schedule is due next, in milliseconds since 1970; null for never.</param>
internal sealed record ListForm(string Name, int Priority, string? Schedule, string Zone, bool IsPaused, long? NextRun)
{
    /// <returns>What is wrong with the form; null if it is valid.</returns>
    public static Refusal? Read(IFormCollection form, TimeProvider time, out ListForm? read)
    {
        read = null;
        var name = form["name"].ToString().Trim();
        if (name.Length is 0 or > 200 || name.Any(char.IsControl))
            return new Refusal("the list has no name", ["give it one of at most 200 characters as 'name'"]);
        if (!int.TryParse(form["priority"].ToString() is { Length: > 0 } given ? given : "0", NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var priority))
            return new Refusal("the priority is no number", ["give a whole number, the most urgent the highest"]);
        var schedule = form["schedule"].ToString() is { Length: > 0 } cron ? cron : null;
        var zone = form["zone"].ToString() is { Length: > 0 } named ? named : "UTC";
        long? next = null;
        try
        {
            if (schedule is not null)
                next = Schedules.Next(schedule, zone, time.GetUtcNow().ToUnixTimeMilliseconds());
        }
        catch (Exception e) when (e is FormatException or ArgumentException or TimeZoneNotFoundException or InvalidTimeZoneException)
        {
            return new Refusal($"the schedule can't be read: {e.Message}", ["write seconds, minutes, hours, day, month and weekday, for example '0 0 2 * * ?', and an IANA zone such as Europe/Vienna"]);
        }

        read = new ListForm(name, priority, schedule, zone, IsSet(form, "paused"), next);
        return null;
    }

    public static bool IsSet(IFormCollection form, string field) => form[field].ToString() is "true" or "on" or "1";

    /// <summary>Returns notes for the user who submitted a list, such as that rows of running accounts were not replaced.</summary>
    public static IEnumerable<string> NotesOf(Submitted submitted) =>
        submitted.AtWork == 0 ? [] : [string.Create(CultureInfo.InvariantCulture, $"{submitted.AtWork} rows at work were not replaced; submit again when they have ended")];

    /// <summary>Returns the list in the form in which it is stored.</summary>
    public NewBatch With(ReadBatch batch) => new(Name, batch.Job, Priority, Schedule, Zone, IsPaused) { HostConnections = batch.HostConnections, NextRun = NextRun };

    /// <summary>Reads the two files of a form that submits a list.</summary>
    /// <exception cref="ConfigurationException">A file is missing, or the job file is no text.</exception>
    public static async Task<(string Job, byte[] Table)> ReadFilesAsync(IFormCollection form, CancellationToken cancellationToken)
    {
        if (form.Files["job"] is not { } job || form.Files["accounts"] is not { } accounts)
            throw new ConfigurationException([new(new SettingOrigin("the request"), "a file is missing", "send the job file as 'job' and the CSV file as 'accounts'")]);
        try
        {
            var text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(await ReadOctetsAsync(job, cancellationToken)).TrimStart('\uFEFF');
            return (text, await ReadOctetsAsync(accounts, cancellationToken));
        }
        catch (DecoderFallbackException)
        {
            throw new ConfigurationException([new(new SettingOrigin("job.yaml"), "the job file is not UTF-8 text", "save it as UTF-8")]);
        }
    }

    private static async Task<byte[]> ReadOctetsAsync(IFormFile file, CancellationToken cancellationToken)
    {
        var octets = new byte[file.Length];
        await using var stream = file.OpenReadStream();
        await stream.ReadExactlyAsync(octets, cancellationToken);
        return octets;
    }
}
