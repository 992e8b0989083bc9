using System.Collections.Immutable;
using System.Text;
using Imapsync.Engine.Files;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Microsoft.Extensions.Configuration;

namespace Imapsync.Engine.Configuration;

/// <summary>Reads job files strictly and reports all mistakes at once.</summary>
public static class JobFileReader
{
    private const int MaxBytes = 64 << 20;

    /// <summary>Reads a job file.</summary>
    /// <param name="path">The path as the user named it, which error texts repeat.</param>
    /// <exception cref="ConfigurationException">The file has mistakes or can't be read.</exception>
    /// <exception cref="OperationCanceledException">
    /// <see cref="JobFileOptions.Stop"/> ended the reading. No other exception leaves this method.
    /// </exception>
    public static JobFile Read(string path, JobFileOptions options) => Parse(path, ReadText(path), options);

    /// <summary>Reads a job file's text as if it were the content of the file <paramref name="path"/>.</summary>
    /// <exception cref="ConfigurationException"/>
    public static JobFile Parse(string path, string text, JobFileOptions options)
    {
        var errors = new List<ConfigurationError>();
        var (root, names) = Load(path, text, options, errors);
        var hasRows = root?["jobs"]?.Items.Any(j => j["for_each"] is not null) == true;
        return ReadJobs(root, new JobReadContext(path, options, errors)
        {
            HasSeveralJobs = hasRows ? options.Jobs.Count != 1 : names.OfType<string>().Count(n => options.Jobs.Count == 0 || options.Jobs.Contains(n)) > 1,
        });
    }

    /// <summary>Reads one job from individual settings, without a file.</summary>
    /// <param name="directory">The directory that relative paths are relative to.</param>
    /// <param name="settings">
    /// The job's settings. <see cref="JobFileOptions.Set"/> overrides them, with keys that don't begin with a job's name.
    /// </param>
    /// <exception cref="ConfigurationException"/>
    public static ComposedJob Compose(string directory, IReadOnlyList<GivenSetting> settings, JobFileOptions options)
    {
        var errors = new List<ConfigurationError>();
        var given = new CommandLineSettings(settings, "jobs", "0");
        given.Load();
        var overrides = new SettingOverrides(new Dictionary<string, string>(), [.. options.Set.Select(s => "jobs.0." + s)], []);
        overrides.Load();
        errors.AddRange(overrides.Errors);
        var root = SettingNode.Build(new ConfigurationRoot([given, overrides]), new SettingOrigin("command line"));
        var reading = new JobReadContext(Path.Combine(directory, "-"), options, errors) { IsComposed = true };
        var read = InOptionWords(() => ReadJobs(root, reading));
        return new ComposedJob(read, JobFileText.Write(root["jobs"]!.Items.First(), read.Jobs[0], reading));
    }

    /// <summary>Reads a target endpoint from individual settings.</summary>
    /// <exception cref="ConfigurationException"/>
    public static Endpoint ReadEndpoint(string directory, IReadOnlyList<GivenSetting> settings, JobFileOptions options)
    {
        var given = new CommandLineSettings(settings);
        given.Load();
        var section = SettingNode.Build(new ConfigurationRoot([given]), new SettingOrigin("command line"));
        var reading = new JobReadContext(Path.Combine(directory, "-"), options, []);
        new ProviderDefaults(reading).FillEndpoint(section, isTarget: true);
        SchemaCheck.Check(section, JobSchema.Endpoint, reading.Errors);
        var endpoint = new EndpointReader(reading, isWanted: true, isTarget: true).Read(section);
        return InOptionWords(() =>
        {
            ThrowIfAny(reading.Errors);
            return endpoint!;
        });
    }

    private static T InOptionWords<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (ConfigurationException e)
        {
            throw new ConfigurationException([.. e.Errors.Select(OptionWords.Tell)]);
        }
    }

    private static JobFile ReadJobs(SettingNode? root, JobReadContext reading)
    {
        var jobs = new List<ReadJob>();
        ImmutableArray<Notice> notices = [];
        string? metrics = null;
        if (root is not null)
        {
            new ProviderDefaults(reading).Fill(root);
            SchemaCheck.Check(root, JobSchema.Root, reading.Errors);
            if (reading.Errors.Count > SchemaCheck.MaxErrors)
                ThrowIfAny(reading.Errors);
            var (reader, rows, hosts) = (new JobReader(reading), new RowJobsReader(reading), new HostsReader(reading));
            hosts.Read(root["hosts"]);
            foreach (var node in (root["jobs"]?.Items ?? []).Where(n => n.Kind == SettingKind.Mapping))
                jobs.AddRange((node["for_each"] is not null ? rows.Read(node) : new[] { reader.Read(node) }.OfType<ReadJob>()).Select(hosts.Apply));
            // After errors this check is skipped, since a job that could not be read may be the one that uses the host.
            if (reading.Errors.Count == 0)
                hosts.RefuseUnused(jobs);
            if (rows.IsWhole)
                CheckWanted(reading, jobs);
            JobValidator.Check(jobs, reading.Errors);
            notices = new NoticeReader(reading).Read(root);
            metrics = root.Text("metrics_file") is { } path ? reading.Resolve(root.Origin("metrics_file"), path) : null;
        }

        ThrowIfAny(reading.Errors);
        var all = jobs.Select(j => j.Definition).OfType<JobDefinition>().ToList();
        return new JobFile([.. all.Where(j => reading.IsWanted(j.Name))], [.. reading.Notes.OrderBy(n => n.Origin)])
        {
            Notices = notices,
            MetricsFile = metrics,
            Places = [.. all.Select(j => new JobPlace(j.Name, j.StateDirectory))],
            BadRows = reading.Options.Jobs.Count == 0 ? [.. reading.BadRows] : [],
        };
    }

    /// <summary>
    /// Returns the recipients to notify when mistakes in the job file prevent a run: those named for the whole file and for the requested
    /// jobs, as far as they can be read.
    /// </summary>
    public static IReadOnlyList<Notice> ReadNotices(string path, JobFileOptions options)
    {
        try
        {
            var reading = new JobReadContext(path, options, []);
            if (Load(path, ReadText(path), options, reading.Errors).Root is not { } root)
                return [];
            var jobs = (root["jobs"]?.Items ?? []).Where(j => j.Text("name") is { } name && reading.IsWanted(name));
            return [.. new[] { root }.Concat(jobs).SelectMany(section => ReadSound(section, reading))];
        }
        catch (ConfigurationException)
        {
            return [];
        }
    }

    /// <summary>
    /// Returns the valid <c>notify</c> entries of a section. If the section has a mistake it returns none, since an entry may then not mean
    /// what was intended.
    /// </summary>
    private static IEnumerable<Notice> ReadSound(SettingNode section, JobReadContext reading)
    {
        var before = reading.Errors.Count;
        foreach (var entry in section["notify"]?.Items ?? [])
            SchemaCheck.Check(entry, JobSchema.Notice, reading.Errors);
        var notices = new NoticeReader(reading).Read(section);
        return reading.Errors.Count == before ? notices : [];
    }

    private static void ThrowIfAny(List<ConfigurationError> errors)
    {
        if (errors.Count > 0)
        {
            List<ConfigurationError> told = [.. errors.Distinct().Order(Comparer<ConfigurationError>.Create((a, b) => a.Origin.CompareTo(b.Origin))).Take(SchemaCheck.MaxErrors + 1)];
            if (told.Count > SchemaCheck.MaxErrors)
                told[^1] = new ConfigurationError(told[^2].Origin with { Line = 0 }, "there are more mistakes than these", "correct them and try again");
            throw new ConfigurationException(told);
        }
    }

    /// <summary>
    /// Returns the names of the jobs in a file, unchecked, for shell completion. Jobs that <c>for_each</c> creates from rows are omitted.
    /// The list is empty when the file can't be read.
    /// </summary>
    public static IReadOnlyList<string> ReadNames(string path)
    {
        try
        {
            return [.. Load(path, ReadText(path), new JobFileOptions(), []).Names.OfType<string>().Where(n => !n.Contains('{', StringComparison.Ordinal))];
        }
        catch (ConfigurationException)
        {
            return [];
        }
    }

    private static (SettingNode? Root, IReadOnlyList<string?> Names) Load(string path, string text, JobFileOptions options, List<ConfigurationError> errors)
    {
        var origin = new SettingOrigin(path, 1, 1);
        var yaml = (ConfigurationRoot)new ConfigurationBuilder().Add(new YamlConfigurationSource(path, text)).Build();
        var provider = yaml.Providers.OfType<YamlConfigurationProvider>().Single();
        errors.AddRange(provider.Errors);
        if (provider.IsUnreadable)
            return (null, []);
        var names = (SettingNode.Build(yaml, origin)["jobs"]?.Items ?? []).Select(j => j["name"]?.Value).ToList();
        var overrides = new SettingOverrides(options.Environment, options.Set, names);
        overrides.Load();
        errors.AddRange(overrides.Errors);
        var root = new ConfigurationRoot([provider, overrides]);
        return (SettingNode.Build(root, origin), names);
    }

    private static void CheckWanted(JobReadContext reading, IReadOnlyList<ReadJob> jobs)
    {
        if (reading.Options.Jobs.Count == 0)
            return;
        var names = jobs.Select(j => j.Node.Text("name")).OfType<string>().ToHashSet(StringComparer.Ordinal);
        foreach (var wanted in reading.Options.Jobs.Where(w => !names.Contains(w)))
        {
            var nearest = EditDistance.Nearest(wanted, names);
            reading.Error(
                new SettingOrigin(reading.ShownPath), $"there is no job '{wanted}' in this file",
                names.Count == 0 ? "no row of its list makes a job" : nearest is null ? $"its jobs are {string.Join(", ", names.Take(20))}" : $"did you mean '{nearest}'?");
            // The requested job may be missing because its CSV row is invalid, so the mistakes in rows are reported as well.
            reading.Errors.AddRange(reading.BadRows.SelectMany(r => r.Errors).Except(reading.Errors));
        }
    }

    private static string ReadText(string path)
    {
        try
        {
            using var file = Pipes.OpenRead(path, TimeProvider.System, CancellationToken.None).GetAwaiter().GetResult();
            using var content = new MemoryStream();
            var buffer = new byte[81920];
            int read;
            while ((read = file.Read(buffer)) > 0)
            {
                content.Write(buffer, 0, read);
                if (content.Length > MaxBytes)
                    throw Unusable(path, $"the file is larger than {MaxBytes >> 20} MiB", "split it into several files");
            }

            var text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(content.GetBuffer(), 0, (int)content.Length);
            return text.TrimStart('\uFEFF');
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw Unusable(path, "there is no such file", FileBeside(path) is { } near ? $"did you mean '{near}'?" : "give the path of a job file");
        }
        catch (DecoderFallbackException)
        {
            throw Unusable(path, "the file is not UTF-8 text", "save it as UTF-8");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw Unusable(path, $"the file can't be read: {e.Message}", "look at its type and permissions");
        }
    }

    /// <summary>
    /// Returns the job file that a path was probably meant to name: one with another ending, or with a similar name; null when there is
    /// none.
    /// </summary>
    private static string? FileBeside(string path)
    {
        try
        {
            var directory = Path.GetDirectoryName(path) ?? "";
            List<string> names =
            [
                .. Directory.EnumerateFiles(directory.Length > 0 ? directory : ".").Select(f => Path.GetFileName(f))
                    .Where(n => Path.GetExtension(n).ToLowerInvariant() is ".yaml" or ".yml").Order(StringComparer.Ordinal).Take(1000),
            ];
            var stem = Path.GetFileNameWithoutExtension(path);
            return (names.FirstOrDefault(n => Path.GetFileNameWithoutExtension(n) == stem) ?? EditDistance.Nearest(Path.GetFileName(path), names)) is { } name
                ? Path.Combine(directory, name)
                : null;
        }
        catch (Exception e) when (FileErrors.Is(e) || e is ArgumentException)
        {
            return null;
        }
    }

    private static ConfigurationException Unusable(string path, string message, string remedy) =>
        new([new ConfigurationError(new SettingOrigin(path), message, remedy)]);
}
