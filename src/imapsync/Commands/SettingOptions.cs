using System.Collections.Immutable;
using System.CommandLine;
using Imapsync.Engine.Configuration;

namespace Imapsync.CommandLine.Commands;

/// <summary>Offers the settings of a job file as command options: the target's <c>password_env</c> becomes <c>--target-password-env</c>.</summary>
internal sealed class SettingOptions
{
    private readonly List<SettingOption> options = [];

    /// <param name="prefix">The prefix of each option's name, for example <c>target-</c>.</param>
    public SettingOptions(Command command, string prefix, ImmutableArray<JobSetting> settings)
    {
        foreach (var setting in settings)
        {
            var option = new SettingOption($"--{prefix}{setting.Path[^1].Replace('_', '-')}", setting)
            {
                Description = Describe(setting),
                HelpName = setting.Shape == JobSettingShape.Map ? setting.Entry : setting.Choices.IsEmpty ? "VALUE" : setting.Choices.Length > CommandTerms.MostWordsShown ? "NAME" : string.Join('|', setting.Choices),
                Arity = ArgumentArity.OneOrMore,
                AllowMultipleArgumentsPerToken = false,
            };
            option.CompletionSources.Add([.. setting.Choices]);
            if (setting.Shape == JobSettingShape.Map)
            {
                option.Validators.Add(result =>
                {
                    foreach (var token in result.Tokens.Where(t => t.Value.IndexOf('=', StringComparison.Ordinal) <= 0))
                        result.AddError($"{option.Name} {token.Value}: write {option.Name} {setting.Entry}.");
                });
            }

            if (setting.Shape == JobSettingShape.Text)
            {
                option.Validators.Add(result =>
                {
                    if (result.Tokens.Count > 1)
                        result.AddError($"{option.Name} is given more than once.");
                });
            }

            command.Add(option);
            options.Add(option);
        }
    }

    /// <summary>Returns the settings that were given on the command line.</summary>
    /// <param name="section">The job's section that the settings belong to; their paths begin with it.</param>
    public IEnumerable<GivenSetting> Read(ParseResult parsed, params ImmutableArray<string> section)
    {
        foreach (var option in options)
        {
            var setting = option.Setting;
            var path = section.AddRange(setting.Path);
            var values = parsed.GetValue(option) ?? [];
            for (var i = 0; i < values.Length; i++)
            {
                var equals = values[i].IndexOf('=', StringComparison.Ordinal);
                yield return setting.Shape switch
                {
                    JobSettingShape.List => new GivenSetting(option.Name, path.Add($"{i}"), values[i]),
                    JobSettingShape.Map => new GivenSetting(option.Name, path.Add(values[i][..equals]), values[i][(equals + 1)..]),
                    _ => new GivenSetting(option.Name, path, values[i]),
                };
            }
        }
    }

    private static string Describe(JobSetting setting) => setting.Shape == JobSettingShape.Text
        ? setting.Choices.Length is 0 or > CommandTerms.MostWordsShown ? $"{setting.Purpose} For example {setting.Example}." : setting.Purpose
        : $"{setting.Purpose} May be given several times.";
}
