using System.Collections.Immutable;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Imapsync.Engine.Configuration;

/// <summary>
/// The JSON Schema (2020-12) of a job file, made of the keys that reading one knows. It accepts every good file; what only the
/// reader can tell (dates, contradictions, what a name stands for) it lets through.
/// </summary>
public static class JobSchemaDocument
{
    private const string Dialect = "https://json-schema.org/draft/2020-12/schema";

    /// <summary>Indented, with a line end at its end.</summary>
    public static string Write()
    {
        using var text = new MemoryStream();
        // The text goes into a file, not into a web page.
        var options = new JsonWriterOptions { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
        using (var writer = new Utf8JsonWriter(text, options))
        {
            writer.WriteStartObject();
            writer.WriteString("$schema", Dialect);
            writer.WriteString("title", "A job file of imapsync");
            WriteKeys(writer, JobSchema.Root);
            writer.WriteStartObject("$defs");
            // Source and target are alike, and long.
            writer.WriteStartObject("endpoint");
            WriteKeys(writer, JobSchema.Endpoint);
            writer.WriteEndObject();
            writer.WriteStartObject("text");
            WriteScalarType(writer);
            writer.WriteEndObject();
            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(text.ToArray()) + "\n";
    }

    private static void WriteKeys(Utf8JsonWriter writer, ImmutableArray<SettingKey> keys)
    {
        writer.WriteString("type", "object");
        writer.WriteBoolean("additionalProperties", false);
        WriteNames(writer, "required", keys.Where(k => k is { IsRequired: true, StandIn: null }).Select(k => k.Name));
        foreach (var key in keys.Where(k => k is { IsRequired: true, StandIn: not null }))
        {
            writer.WriteStartArray("anyOf");
            foreach (var name in new[] { key.Name, key.StandIn! })
            {
                writer.WriteStartObject();
                WriteNames(writer, "required", [name]);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
        }

        writer.WriteStartObject("properties");
        foreach (var key in keys)
        {
            writer.WriteStartObject(key.Name);
            WriteKey(writer, key);
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
    }

    private static void WriteKey(Utf8JsonWriter writer, SettingKey key)
    {
        if (key.Purpose.Length > 0)
            writer.WriteString("description", key.Purpose);
        switch (key.Shape)
        {
            case SettingShape.Choice:
                WriteChoices(writer, key.Choices);
                break;
            case SettingShape.List:
                writer.WriteString("type", "array");
                WriteReference(writer, "items", "text");
                break;
            case SettingShape.Map:
                writer.WriteString("type", "object");
                WriteReference(writer, "additionalProperties", "text");
                break;
            case SettingShape.Section when key.Keys == JobSchema.Endpoint:
                writer.WriteString("$ref", "#/$defs/endpoint");
                break;
            case SettingShape.Section:
                WriteKeys(writer, key.Keys);
                break;
            case SettingShape.ChoiceOrSection:
                writer.WriteStartArray("anyOf");
                writer.WriteStartObject();
                WriteChoices(writer, key.Choices);
                writer.WriteEndObject();
                writer.WriteStartObject();
                WriteKeys(writer, key.Keys);
                writer.WriteEndObject();
                writer.WriteEndArray();
                break;
            case SettingShape.NamedSections:
                writer.WriteString("type", "object");
                writer.WriteStartObject("additionalProperties");
                WriteKeys(writer, key.Keys);
                writer.WriteEndObject();
                break;
            case SettingShape.Rows:
                // A file's name, a section that names one, or the rows themselves.
                WriteNames(writer, "type", ["string", "object", "array"]);
                break;
            case SettingShape.Sections:
                writer.WriteString("type", "array");
                writer.WriteNumber("minItems", 1);
                writer.WriteStartObject("items");
                WriteKeys(writer, key.Keys);
                writer.WriteEndObject();
                break;
            default:
                WriteScalarType(writer);
                if (key.Pattern is not null)
                    writer.WriteString("pattern", key.Pattern);
                WriteNames(writer, "examples", [key.Example]);
                break;
        }
    }

    /// <summary>A job file's texts may look like numbers or truths to YAML: <c>connections: 4</c>.</summary>
    private static void WriteScalarType(Utf8JsonWriter writer) => WriteNames(writer, "type", ["string", "number", "boolean"]);

    private static void WriteChoices(Utf8JsonWriter writer, ImmutableArray<string> choices)
    {
        writer.WriteStartArray("enum");
        foreach (var choice in choices)
        {
            // Without quotes YAML reads a truth, with them a text.
            if (choice is "true" or "false")
                writer.WriteBooleanValue(choice == "true");
            writer.WriteStringValue(choice);
        }

        writer.WriteEndArray();
    }

    private static void WriteReference(Utf8JsonWriter writer, string property, string definition)
    {
        writer.WriteStartObject(property);
        writer.WriteString("$ref", $"#/$defs/{definition}");
        writer.WriteEndObject();
    }

    private static void WriteNames(Utf8JsonWriter writer, string property, IEnumerable<string> names)
    {
        var list = names.ToList();
        if (list.Count == 0)
            return;
        writer.WriteStartArray(property);
        foreach (var name in list)
            writer.WriteStringValue(name);
        writer.WriteEndArray();
    }
}
