using Imapsync.Fleet.Commands;
using Imapsync.Tests.Support;
using YamlDotNet.RepresentationModel;

namespace Imapsync.Fleet.Tests;

/// <summary>The program accepts the examples in examples/fleet, and all files and names in them exist.</summary>
public sealed class ExampleTests
{
    private static readonly string Directory = Path.Combine(PostgresServer.RepositoryRoot(), "examples", "fleet");

    [Theory]
    [InlineData("imapsync-fleet.service")]
    [InlineData("imapsync-fleet-worker@.service")]
    public void A_unit_starts_the_program_with_options_it_has_and_gives_it_time_to_end(string name)
    {
        var lines = File.ReadAllLines(Path.Combine(Directory, name)).Where(l => l.Length > 0 && l[0] != '#').ToList();
        Assert.All(lines, l => Assert.Matches(@"^(\[(Unit|Service|Install)\]|[A-Z][A-Za-z]*=.+)$", l));
        var words = lines.Single(l => l.StartsWith("ExecStart=", StringComparison.Ordinal))["ExecStart=".Length..].Split(' ');
        Assert.EndsWith("/imapsync-fleet", words[0], StringComparison.Ordinal);
        Accepted(words[1..]);
        Assert.True(int.Parse(words[Array.IndexOf(words, "--grace") + 1]) + 10 < int.Parse(lines.Single(l => l.StartsWith("TimeoutStopSec=", StringComparison.Ordinal)).Split('=')[1]));
    }

    [Fact]
    public void Compose_starts_the_program_with_options_it_has_and_every_secret_and_volume_is_there()
    {
        var root = Assert.Single(Load("compose.yaml"));
        foreach (var (name, service) in ((YamlMappingNode)root["services"]).Children.Where(s => ((YamlMappingNode)s.Value).Children.ContainsKey("command")))
        {
            Accepted(Texts(service["command"]));
            Assert.All(Texts(service["secrets"]), s => Assert.NotNull(root["secrets"][s]["file"]));
            Assert.All(Texts(service["volumes"]), v => Assert.Contains(v.Split(':')[0], ((YamlMappingNode)root["volumes"]).Children.Keys.Select(k => k.ToString())));
            Assert.NotNull(name);
        }

        Assert.StartsWith("127.0.0.1:", Assert.Single(Texts(root["services"]["server"]["ports"])), StringComparison.Ordinal);
    }

    [Fact]
    public void Kubernetes_manifests_start_the_program_with_options_it_has_and_what_they_name_is_there()
    {
        var documents = Load("kubernetes.yaml");
        Assert.All(documents, d => Assert.True(((YamlMappingNode)d).Children.Keys.Select(k => k.ToString()).ToHashSet().IsSupersetOf(["apiVersion", "kind", "metadata", "spec"])));
        var claims = documents.Where(d => d["kind"].ToString() == "PersistentVolumeClaim").Select(d => d["metadata"]["name"].ToString()).ToList();
        var deployments = documents.Where(d => d["kind"].ToString() == "Deployment").ToList();
        Assert.Equal(2, deployments.Count);
        foreach (var deployment in deployments)
        {
            var pod = deployment["spec"]["template"]["spec"];
            Assert.Equal(deployment["spec"]["selector"]["matchLabels"]["app"], deployment["spec"]["template"]["metadata"]["labels"]["app"]);
            var container = pod["containers"][0];
            Accepted(Texts(container["args"]));
            Assert.Equal(
                ((YamlSequenceNode)pod["volumes"]).Select(v => v["name"].ToString()).Order(),
                ((YamlSequenceNode)container["volumeMounts"]).Select(v => v["name"].ToString()).Order());
            Assert.Contains(pod["volumes"][0]["persistentVolumeClaim"]["claimName"].ToString(), claims);
        }
    }

    [Fact]
    public async Task Scripts_are_free_of_mistakes_that_a_shell_finds() => await Command.RunAsync("bash", ["-n", Path.Combine(Directory, "postgres.sh")]);

    private static void Accepted(IReadOnlyList<string> arguments)
    {
        var parsed = FleetCommandLine.Build(TextWriter.Null, TextWriter.Null).Parse([.. arguments]);
        Assert.True(parsed.Errors.Count == 0, $"{string.Join(' ', arguments)}: {string.Join(' ', parsed.Errors)}");
        Assert.NotEqual(parsed.RootCommandResult.Command, parsed.CommandResult.Command);
    }

    private static List<YamlNode> Load(string name)
    {
        var yaml = new YamlStream();
        using var text = File.OpenText(Path.Combine(Directory, name));
        yaml.Load(text);
        return [.. yaml.Documents.Select(d => d.RootNode)];
    }

    private static List<string> Texts(YamlNode list) => [.. ((YamlSequenceNode)list).Select(n => n.ToString())];
}
