using System.Text.Json.Nodes;
using Imapsync.Engine.Configuration;
using Json.Schema;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Imapsync.Engine.Tests.Configuration;

/// <summary>Validates a job file against the published schema with a validator that is not the product's.</summary>
internal static class JobSchemaAssert
{
    private static readonly JsonSchema Schema = JsonSchema.FromText(JobSchemaDocument.Write());

    public static void Accepts(string yaml, string because = "")
    {
        var result = Evaluate(yaml);
        Assert.True(result.IsValid, $"{because}\n{yaml}\n{string.Join('\n', (result.Details ?? []).Where(d => d.HasErrors).Select(d => $"{d.InstanceLocation}: {string.Join("; ", d.Errors!.Values)}"))}");
    }

    public static void Refuses(string yaml) => Assert.False(Evaluate(yaml).IsValid, yaml);

    private static EvaluationResults Evaluate(string yaml) => Schema.Evaluate(Read(yaml), new EvaluationOptions { OutputFormat = OutputFormat.List });

    /// <summary>Reads the text as an editor does: plain scalars are typed by YAML's core schema.</summary>
    private static JsonNode? Read(string yaml)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(yaml));
        return Of(stream.Documents[0].RootNode);
    }

    private static JsonNode? Of(YamlNode node) => node switch
    {
        YamlMappingNode mapping => new JsonObject(mapping.Children.Select(c => KeyValuePair.Create(((YamlScalarNode)c.Key).Value!, Of(c.Value)))),
        YamlSequenceNode sequence => new JsonArray([.. sequence.Children.Select(Of)]),
        YamlScalarNode { Style: not ScalarStyle.Plain } quoted => quoted.Value,
        YamlScalarNode { Value: "" or "~" or "null" } => null,
        YamlScalarNode { Value: "true" or "false" } truth => truth.Value == "true",
        YamlScalarNode plain => long.TryParse(plain.Value, out var number) ? number : plain.Value,
        _ => throw new InvalidDataException($"{node.NodeType}"),
    };
}
