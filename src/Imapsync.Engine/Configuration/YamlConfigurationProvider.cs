using Microsoft.Extensions.Configuration;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Imapsync.Engine.Configuration;

/// <summary>A YAML text as a configuration source.</summary>
/// <param name="file">The file's name, for error texts.</param>
internal sealed class YamlConfigurationSource(string file, string text) : IConfigurationSource
{
    public IConfigurationProvider Build(IConfigurationBuilder builder) => new YamlConfigurationProvider(file, text);
}

/// <summary>
/// Reads one YAML document into configuration keys, with sequences as indexed keys, and records the line and column of each. Aliases are
/// rejected, since a few of them can expand to billions of values. Depth and number of values are limited.
/// </summary>
internal sealed class YamlConfigurationProvider(string file, string text) : LocatedConfigurationProvider
{
    private const int MaxDepth = 16;
    private const int MaxSettings = 400_000;

    /// <summary>
    /// The maximum number of keys in a section near the root (the file, a job, an endpoint); no real section there has that many. Deeper
    /// sections are not limited, since they may list a mailbox's folders.
    /// </summary>
    private const int MaxSectionKeys = 1000;
    private const int SectionDepth = 3;

    private readonly Dictionary<string, string?> data = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>
    /// Whether the text could not be read to its end. A missing setting is then not reported, because it may be in the unread part.
    /// </summary>
    public bool IsUnreadable { get; private set; }

    public override void Load()
    {
        using var reader = new StringReader(text);
        var scanner = new Scanner(reader);
        try
        {
            ReadDocument(new Parser(scanner));
        }
        catch (YamlException e)
        {
            IsUnreadable = true;
            Errors.Add(YamlTrouble.Tell(e, text, OriginOf(e.Start)));
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or FormatException or OverflowException
            or IndexOutOfRangeException or NullReferenceException or KeyNotFoundException)
        {
            IsUnreadable = true;
            // YamlDotNet's scanner throws these exceptions for some malformed texts, without a position.
            Errors.Add(new ConfigurationError(OriginOf(scanner.CurrentPosition), "this is not valid YAML from here on", "correct it and try again"));
        }

        Data = data;
    }

    private void ReadDocument(Parser parser)
    {
        parser.Consume<StreamStart>();
        if (!parser.TryConsume<DocumentStart>(out _))
            throw Refuse(new SettingOrigin(file, 1, 1), "the file is empty");
        if (parser.Accept<Scalar>(out var only) && IsNothing(only))
            throw Refuse(new SettingOrigin(file, 1, 1), "the file is empty");
        if (!parser.Accept<MappingStart>(out _))
            throw Refuse(OriginOf(parser.Current!.Start), "a job file starts with 'jobs:'");
        ReadMapping(parser, "", 0);
        parser.Consume<DocumentEnd>();
        if (parser.Accept<DocumentStart>(out var second))
            throw Refuse(OriginOf(second.Start), "a job file holds one YAML document; remove the '---' and what follows it");
    }

    private void ReadMapping(Parser parser, string path, int depth)
    {
        parser.Consume<MappingStart>();
        // Configuration keys ignore case, but folder names don't, so exact duplicates and keys that differ only in case are tracked
        // separately.
        var written = new HashSet<string>(StringComparer.Ordinal);
        var uses = new Dictionary<string, int>(StringComparer.OrdinalIgnoreCase);
        for (var keys = 1; !parser.TryConsume<MappingEnd>(out _); keys++)
        {
            if (keys > MaxSectionKeys && depth <= SectionDepth)
                throw Refuse(OriginOf(parser.Current!.Start), "these are too many keys for a section of a job file");
            if (!parser.TryConsume<Scalar>(out var key))
                throw Refuse(OriginOf(parser.Current!.Start), "a key must be plain text");
            var origin = OriginOf(key.Start);
            var segment = EscapeKey(key.Value);
            if (!written.Add(key.Value))
                Errors.Add(new ConfigurationError(origin, $"'{key.Value}' is given twice here", "remove one of them"));
            if (!uses.TryAdd(segment, 1))
                segment = $"{segment}\u0003{uses[segment]++}";
            ReadNode(parser, Join(path, segment), key.Value, origin, depth + 1);
        }
    }

    private void ReadSequence(Parser parser, string path, int depth)
    {
        parser.Consume<SequenceStart>();
        for (var index = 0; !parser.TryConsume<SequenceEnd>(out _); index++)
        {
            var key = index.ToString();
            ReadNode(parser, Join(path, key), key, OriginOf(parser.Current!.Start), depth + 1);
        }
    }

    private void ReadNode(Parser parser, string path, string key, SettingOrigin keyOrigin, int depth)
    {
        var origin = OriginOf(parser.Current!.Start);
        if (depth > MaxDepth)
            throw Refuse(origin, "this is nested too deeply for a job file");
        if (Settings.Count == MaxSettings)
            throw Refuse(origin, "this is too much for one job file");
        switch (parser.Current)
        {
            case Scalar scalar:
                parser.MoveNext();
                var kind = IsNothing(scalar) ? SettingKind.Nothing : SettingKind.Value;
                // An empty value has the position of the next token, so the key's position is used instead.
                Settings.Add(new LocatedSetting(path, key, kind, keyOrigin, kind == SettingKind.Nothing ? keyOrigin : origin));
                data[path] = kind == SettingKind.Nothing ? null : scalar.Value;
                break;
            case MappingStart:
                Settings.Add(new LocatedSetting(path, key, SettingKind.Mapping, keyOrigin, origin));
                ReadMapping(parser, path, depth);
                break;
            case SequenceStart:
                Settings.Add(new LocatedSetting(path, key, SettingKind.Sequence, keyOrigin, origin));
                ReadSequence(parser, path, depth);
                break;
            default:
                throw Refuse(origin, "YAML aliases (*name) are not supported in a job file; write the value out");
        }
    }

    private static bool IsNothing(Scalar scalar) =>
        scalar.Style == ScalarStyle.Plain && (scalar.Value is "" or "~" or "null");

    private static string Join(string path, string segment) => path.Length == 0 ? segment : $"{path}:{segment}";

    private SettingOrigin OriginOf(Mark mark) => new(file, (int)Math.Clamp(mark.Line, 1, int.MaxValue), (int)Math.Clamp(mark.Column, 1, int.MaxValue));

    private static YamlException Refuse(SettingOrigin origin, string message)
    {
        var mark = new Mark(0, origin.Line, origin.Column);
        return new YamlException(mark, mark, message);
    }
}
