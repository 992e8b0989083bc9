using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Engine.Tests;

/// <summary>Enforces the rules of docs/design.md §3. Each failure names the file and the rule.</summary>
public sealed partial class ArchitectureTests
{
    private const int LongLines = 300;
    private const int MostLines = 600;

    private static readonly string Root = FindRoot();

    /// <summary>
    /// The projects and packages that each project may reference. No two projects have the same set, or they could be one project.
    /// </summary>
    private static readonly Dictionary<string, string[]> Projects = new()
    {
        ["Imapsync.Imap"] = ["MailKit", "Microsoft.Extensions.Logging.Abstractions"],
        ["Imapsync.Engine"] =
        [
            "Imapsync.Imap", "DnsClient", "Duende.IdentityModel", "MimeKit", "Polly.Core", "Sep", "YamlDotNet", "Microsoft.Extensions.Configuration", "Microsoft.Extensions.Configuration.EnvironmentVariables",
        ],
        ["Imapsync.Notifying"] = ["Imapsync.Engine", "MailKit"],
        ["Imapsync.Serving"] = ["Imapsync.Engine", "MimeKit"],
        ["Imapsync.Fleet"] = ["Imapsync.Engine", "Microsoft.AspNetCore.Authentication.OpenIdConnect", "Microsoft.AspNetCore.OpenApi", "Microsoft.Data.Sqlite", "Npgsql", "Quartz", "System.CommandLine", "YamlDotNet"],
        ["imapsync"] = ["Imapsync.Engine", "Imapsync.Notifying", "Imapsync.Serving", "OpenTelemetry.Exporter.OpenTelemetryProtocol", "System.CommandLine", "Spectre.Console"],
    };

    /// <summary>
    /// The directories (rooms) of the engine, and which other ones each may use. There are no cycles. The stores and the checkpoints don't
    /// use each other.
    /// </summary>
    private static readonly Dictionary<string, string[]> Rooms = new()
    {
        ["Files"] = [],
        ["Tables"] = ["Files"],
        ["Mail"] = ["Files"],
        ["Progress"] = ["Mail"],
        ["Reading"] = ["Files", "Mail"],
        ["State"] = ["Files", "Mail"],
        ["Stores.LineEnds"] = ["Files", "Mail"],
        ["Stores.Local"] = ["Files", "Mail"],
        ["Stores.Imap"] = ["Mail"],
        ["Stores.ReadOnly"] = ["Mail"],
        ["Stores.Pop3"] = ["Files", "Mail", "Stores.Imap", "Stores.Local", "Stores.ReadOnly"],
        ["Stores.Maildir"] = ["Files", "Mail", "Stores.LineEnds", "Stores.Local"],
        ["Stores.Mbox"] = ["Files", "Mail", "Stores.LineEnds", "Stores.Local"],
        ["Stores"] =
        [
            "Mail", "Stores.Eml", "Stores.Emlx", "Stores.Imap", "Stores.ImapBackup", "Stores.Maildir", "Stores.Mbox", "Stores.Mh", "Stores.Pop3", "Stores.Takeout", "Stores.Thunderbird",
        ],
        ["Stores.Views"] = ["Mail"],
        ["Stores.MailFiles"] = ["Files", "Mail", "Stores.LineEnds", "Stores.Local", "Stores.ReadOnly"],
        ["Stores.Eml"] = ["Files", "Mail", "Reading", "Stores.LineEnds", "Stores.Local", "Stores.MailFiles"],
        ["Stores.Emlx"] = ["Files", "Mail", "Stores.Local", "Stores.MailFiles", "Stores.ReadOnly"],
        ["Stores.Mh"] = ["Files", "Mail", "Stores.Local", "Stores.MailFiles", "Stores.ReadOnly"],
        ["Stores.Thunderbird"] = ["Files", "Mail", "Stores.Mbox", "Stores.ReadOnly", "Stores.Views"],
        ["Stores.ImapBackup"] = ["Files", "Mail", "Stores.Local", "Stores.MailFiles", "Stores.Mbox", "Stores.ReadOnly"],
        ["Stores.Takeout"] = ["Mail", "Stores.Local", "Stores.Mbox", "Stores.ReadOnly", "Stores.Views"],
        ["Stores.Fences"] = ["Mail", "Stores.Views"],
        ["Stores.Limits"] = ["Mail", "State", "Stores.Views"],
        ["Stores.Turns"] = ["Files", "Mail", "State", "Stores.Views"],
        ["Jobs"] = ["Mail", "State", "Tables"],
        ["Folders"] = ["Jobs", "Mail", "State"],
        ["Stores.Labels"] = ["Folders", "Jobs", "Mail", "Stores.Views"],
        ["Matching"] = ["Files", "Jobs", "Mail", "Reading", "State"],
        ["Retrying"] = ["Jobs", "Mail", "Progress"],
        ["Transfer"] = ["Files", "Mail"],
        ["Copying"] = ["Folders", "Jobs", "Mail", "Matching", "Progress", "Reading", "Retrying", "State", "Transfer"],
        ["Verifying"] = ["Folders", "Jobs", "Mail", "Matching", "Progress", "Reading", "Retrying", "State"],
        ["Restoring"] = ["Folders", "Jobs", "Mail", "Matching", "Progress", "State"],
        ["Snapshots"] = ["Files", "Jobs", "Mail", "Progress", "State", "Stores.Maildir"],
        ["History"] = ["Files", "Mail", "Progress", "State", "Verifying"],
        ["Checking"] = ["Files", "Folders", "Jobs", "Mail"],
        ["Running"] =
        [
            "Checking", "Copying", "Files", "Jobs", "Mail", "Progress", "Restoring", "Retrying", "Snapshots", "State", "Stores", "Stores.Labels", "Stores.Limits", "Stores.Views", "Verifying",
        ],
        ["Watching"] = ["Folders", "Jobs", "Mail", "Progress"],
        ["Providers"] = [],
        ["Discovery"] = ["Providers"],
        ["Configuration.Secrets"] = ["Files", "Mail"],
        ["SigningIn"] = ["Files", "Mail", "State"],
        ["Configuration"] = ["Configuration.Secrets", "Files", "Jobs", "Mail", "Matching", "Providers", "SigningIn", "Snapshots", "Stores", "Tables"],
        ["Preflight"] = ["Checking", "Configuration", "Jobs", "Tables"],
    };

    /// <summary>
    /// The directories (rooms) of the wire library, and which other ones each may use. Each may also use the root directory, which uses
    /// none.
    /// </summary>
    private static readonly Dictionary<string, string[]> WireRooms = new()
    {
        [""] = [],
        ["Wire"] = [],
        ["Sasl"] = [],
        ["Connection"] = ["Wire"],
        ["Client"] = ["Wire", "Sasl", "Connection"],
        ["Pop3"] = ["Sasl", "Connection"],
    };

    /// <summary>
    /// The directories (rooms) of the serving library, and which other ones each may use. Each may also use the limits in the root
    /// directory.
    /// </summary>
    private static readonly Dictionary<string, string[]> ServingRooms = new()
    {
        [""] = ["Mailboxes", "Sessions", "Wire"],
        ["Wire"] = [],
        ["Mime"] = ["Wire"],
        ["Mailboxes"] = ["Mime", "Wire"],
        ["Texts"] = ["Mailboxes", "Mime"],
        ["Fetching"] = ["Mailboxes", "Mime", "Wire"],
        ["Searching"] = ["Mailboxes", "Texts", "Wire"],
        ["Finding"] = ["Mailboxes", "Mime", "Texts"],
        ["Sessions"] = ["Fetching", "Mailboxes", "Searching", "Wire"],
    };

    [Fact]
    public void A_project_names_only_what_it_may()
    {
        var broken = new List<string>();
        foreach (var file in Directory.EnumerateFiles(Path.Combine(Root, "src"), "*.csproj", SearchOption.AllDirectories))
        {
            var name = Path.GetFileNameWithoutExtension(file);
            if (!Projects.TryGetValue(name, out var allowed))
            {
                broken.Add($"{Relative(file)}: a new project needs a row in the table of this test");
                continue;
            }

            var named = XDocument.Load(file).Descendants()
                .Where(e => e.Name.LocalName is "ProjectReference" or "PackageReference" && e.Attribute("PrivateAssets")?.Value != "all")
                .Select(e => Path.GetFileName(e.Attribute("Include")!.Value).Replace(".csproj", "", StringComparison.Ordinal));
            broken.AddRange(named.Except(allowed).Select(n => $"{Relative(file)}: {name} may not name {n}"));
        }

        None(broken);
    }

    [Fact]
    public void The_wire_knows_nothing_of_the_engine() =>
        None(Sources("Imapsync.Imap").Where(f => File.ReadAllText(f).Contains("Imapsync.Engine", StringComparison.Ordinal))
            .Select(f => $"{Relative(f)}: the wire may not know the engine"));

    [Fact]
    public void A_room_of_the_wire_uses_only_the_rooms_it_may()
    {
        var broken = new HashSet<string>();
        foreach (var file in Sources("Imapsync.Imap"))
        {
            var parts = Relative(file).Split('/');
            var room = parts.Length == 3 ? "" : parts[2];
            var expected = room.Length == 0 ? "namespace Imapsync.Imap;" : $"namespace Imapsync.Imap.{room};";
            if (parts.Length > 4 || !WireRooms.TryGetValue(room, out var allowed) || !File.ReadLines(file).Contains(expected))
            {
                broken.Add($"{Relative(file)}: its namespace is its folder's, and a new folder needs a row in the table of this test");
                continue;
            }

            broken.UnionWith(WireRoom().Matches(File.ReadAllText(file)).Select(m => m.Groups["room"].Value)
                .Where(r => r != room && !allowed.Contains(r)).Select(r => $"{Relative(file)}: {room} may not know {r}"));
        }

        foreach (var type in typeof(ImapCapabilities).Assembly.GetTypes())
        {
            if (WireRoomOf(type) is not { } room || !WireRooms.TryGetValue(room, out var allowed))
                continue;
            broken.UnionWith(UsedTypes(type).Where(u => WireRoomOf(u) is { } other && other != room && other.Length > 0 && !allowed.Contains(other))
                .Select(u => $"{type.FullName}: may not know {u.FullName}"));
        }

        None(broken);
    }

    [Fact]
    public void A_room_of_the_serving_library_uses_only_the_rooms_it_may()
    {
        var broken = new HashSet<string>();
        foreach (var file in Sources("Imapsync.Serving"))
        {
            var parts = Relative(file).Split('/');
            var room = parts.Length == 3 ? "" : parts[2];
            var expected = room.Length == 0 ? "namespace Imapsync.Serving;" : $"namespace Imapsync.Serving.{room};";
            if (parts.Length > 4 || !ServingRooms.TryGetValue(room, out var allowed) || !File.ReadLines(file).Contains(expected))
            {
                broken.Add($"{Relative(file)}: its namespace is its folder's, and a new folder needs a row in the table of this test");
                continue;
            }

            broken.UnionWith(ServingRoom().Matches(File.ReadAllText(file)).Select(m => m.Groups["room"].Value)
                .Where(r => r != room && !allowed.Contains(r)).Select(r => $"{Relative(file)}: {room} may not know {r}"));
        }

        None(broken);
    }

    [Fact]
    public void MailKit_stays_in_its_corner_of_the_wire() =>
        None(Sources("Imapsync.Imap").Where(f => !Relative(f).StartsWith("src/Imapsync.Imap/Sasl/", StringComparison.Ordinal))
            .Where(f => File.ReadAllText(f).Contains("using MailKit", StringComparison.Ordinal)).Select(f => $"{Relative(f)}: MailKit is for Sasl alone"));

    [Fact]
    public void A_room_uses_only_the_rooms_it_may()
    {
        var broken = new List<string>();
        foreach (var file in Sources("Imapsync.Engine"))
        {
            var room = string.Join('.', Relative(file).Split('/')[2..^1]);
            if (!Rooms.TryGetValue(room, out var allowed))
            {
                broken.Add($"{Relative(file)}: no room of the engine; a new one needs a row in the table of this test");
                continue;
            }

            var text = File.ReadAllText(file);
            if (Namespace().Match(text).Groups["room"].Value != room)
                broken.Add($"{Relative(file)}: its namespace is not Imapsync.Engine.{room}");
            broken.AddRange(EngineRoom().Matches(text).Select(m => m.Groups["room"].Value).Distinct()
                .Where(r => r != room && Rooms.ContainsKey(r) && !allowed.Contains(r)).Select(r => $"{Relative(file)}: {room} may not know {r}"));
        }

        None(broken);
    }

    [Fact]
    public void No_type_of_a_room_shows_one_of_a_room_it_may_not_know()
    {
        var broken = new HashSet<string>();
        foreach (var type in typeof(FolderPath).Assembly.GetTypes())
        {
            if (RoomOf(type) is not { } room || !Rooms.TryGetValue(room, out var allowed))
                continue;
            foreach (var used in UsedTypes(type))
            {
                if (RoomOf(used) is { } other && other != room && !allowed.Contains(other))
                    broken.Add($"{type.FullName}: {room} may not know {used.FullName} of {other}");
            }
        }

        None(broken);
    }

    [Fact]
    public void No_source_file_is_longer_than_600_lines()
    {
        var lengths = AllSources().Select(f => (File: Relative(f), Lines: File.ReadLines(f).Count())).OrderByDescending(f => f.Lines).ToList();
        foreach (var (file, lines) in lengths.TakeWhile(f => f.Lines > LongLines))
            TestContext.Current.TestOutputHelper?.WriteLine($"long: {lines} lines in {file}");
        None(lengths.TakeWhile(f => f.Lines > MostLines).Select(f => $"{f.File}: {f.Lines} lines, {MostLines} are the most"));
    }

    [Fact]
    public void A_type_is_named_for_what_it_is() =>
        None(AllSources().SelectMany(f => PatternName().Matches(File.ReadAllText(f))
            .Select(m => $"{Relative(f)}: {m.Groups["name"].Value} says a pattern, not a thing")));

    [Fact]
    public void Retrying_is_decided_in_one_file()
    {
        var files = AllSources().Where(f => Relative(f).StartsWith("src/", StringComparison.Ordinal)
            && BuildsPipeline().IsMatch(File.ReadAllText(f))).Select(Relative);
        Assert.Equal(["src/Imapsync.Engine/Retrying/RetryPipeline.cs"], files);
    }

    /// <summary>
    /// Returns the base type and interfaces of a type, and the types of its fields, parameters, return values and local variables.
    /// </summary>
    private static IEnumerable<Type> UsedTypes(Type type)
    {
        const BindingFlags all = BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
        var used = new List<Type?> { type.BaseType };
        used.AddRange(type.GetInterfaces());
        used.AddRange(type.GetFields(all).Select(f => f.FieldType));
        foreach (var method in type.GetMethods(all).Cast<MethodBase>().Concat(type.GetConstructors(all)))
        {
            used.Add((method as MethodInfo)?.ReturnType);
            used.AddRange(method.GetParameters().Select(p => p.ParameterType));
            used.AddRange(method.GetMethodBody()?.LocalVariables.Select(v => v.LocalType) ?? []);
        }

        return used.OfType<Type>().SelectMany(Parts).Distinct();
    }

    private static IEnumerable<Type> Parts(Type type) => type.HasElementType
        ? Parts(type.GetElementType()!)
        : type.GetGenericArguments().SelectMany(Parts).Append(type);

    private static string? RoomOf(Type type) =>
        type.Namespace is { } name && name.StartsWith("Imapsync.Engine.", StringComparison.Ordinal) ? name["Imapsync.Engine.".Length..] : null;

    private static string? WireRoomOf(Type type) => type.Namespace switch
    {
        "Imapsync.Imap" => "",
        { } name when name.StartsWith("Imapsync.Imap.", StringComparison.Ordinal) => name.Split('.')[2],
        _ => null,
    };

    private static IEnumerable<string> Sources(string project) => CsFiles(Path.Combine(Root, "src", project));

    private static IEnumerable<string> AllSources() => CsFiles(Path.Combine(Root, "src")).Concat(CsFiles(Path.Combine(Root, "tests")));

    private static IEnumerable<string> CsFiles(string directory) => Directory.EnumerateFiles(directory, "*.cs", SearchOption.AllDirectories)
        .Where(f => !Relative(f).Split('/').Any(part => part is "bin" or "obj"));

    private static string Relative(string file) => Path.GetRelativePath(Root, file);

    private static void None(IEnumerable<string> broken) => Assert.True(!broken.Any(), string.Join('\n', broken));

    private static string FindRoot()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory.FullName, "imapsync.sln")))
            directory = directory.Parent ?? throw new DirectoryNotFoundException("imapsync.sln is not above " + AppContext.BaseDirectory);
        return directory.FullName;
    }

    [GeneratedRegex(@"^namespace Imapsync\.Engine\.(?<room>[\w.]+);", RegexOptions.Multiline, 60_000)]
    private static partial Regex Namespace();

    [GeneratedRegex(@"^using Imapsync\.Engine\.(?<room>[\w.]+);", RegexOptions.Multiline, 60_000)]
    private static partial Regex EngineRoom();

    // Matches a namespace of the library, written in full (using Imapsync.Imap.Wire) or, inside the library, in short (Wire.X).
    [GeneratedRegex(@"(?:using Imapsync\.Imap\.|[^.\w](?=Wire\.|Connection\.|Client\.|Sasl\.|Pop3\.))(?<room>Wire|Connection|Client|Sasl|Pop3)\b(?!\.cs)", RegexOptions.None, 60_000)]
    private static partial Regex WireRoom();

    [GeneratedRegex(@"(?:using Imapsync\.Serving\.|[^.\w](?=[A-Z]\w+\.[A-Z]))(?<room>Wire|Mime|Mailboxes|Texts|Fetching|Searching|Finding|Sessions)\b(?!\.cs)", RegexOptions.None, 60_000)]
    private static partial Regex ServingRoom();

    [GeneratedRegex(@"\b(?:class|struct|record|interface|enum) (?<name>\w+(?:Manager|Helper|Helpers|Util|Utils|Impl|Service))\b", RegexOptions.None, 60_000)]
    private static partial Regex PatternName();

    [GeneratedRegex(@"\bResiliencePipeline(?:Builder|Registry|Provider)?\b(?!s)", RegexOptions.None, 60_000)]
    private static partial Regex BuildsPipeline();
}
