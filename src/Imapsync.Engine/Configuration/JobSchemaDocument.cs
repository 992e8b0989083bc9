using System.Collections.Immutable;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Imapsync.Engine.Configuration;

/// <summary>
/// Writes the JSON Schema (2020-12) of a job file, generated from the reader's own keys. It accepts every valid file, but does not check
/// what only the reader can check, such as dates, contradictions and references.
/// </summary>
public static class JobSchemaDocument
{
    private const string Dialect = "https://json-schema.org/draft/2020-12/schema";

    /// <summary>Returns the indented schema, ending with a line break.</summary>
    public static string Write()
    {
        using var text = new MemoryStream();
        // Relaxed escaping is safe here, since the text goes into a file and not into a web page.
        var options = new JsonWriterOptions { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
        using (var writer = new Utf8JsonWriter(text, options))
        {
            writer.WriteStartObject();
            writer.WriteString("$schema", Dialect);
            writer.WriteString("title", "A job file of imapsync");
            WriteKeys(writer, JobSchema.Root);
            writer.WriteStartObject("$defs");
            // Source and target have the same long definition, so it is written once and referenced.
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
                // The value is a file name, a section that names a file or a command, or the list of rows.
                writer.WriteStartArray("anyOf");
                writer.WriteStartObject();
                writer.WriteString("type", "string");
                writer.WriteEndObject();
                writer.WriteStartObject();
                WriteKeys(writer, key.Keys);
                writer.WriteEndObject();
                writer.WriteStartObject();
                writer.WriteString("type", "array");
                writer.WriteEndObject();
                writer.WriteEndArray();
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

    /// <summary>Writes the types of a text: YAML reads unquoted texts such as <c>connections: 4</c> as numbers or booleans.</summary>
    private static void WriteScalarType(Utf8JsonWriter writer) => WriteNames(writer, "type", ["string", "number", "boolean"]);

    private static void WriteChoices(Utf8JsonWriter writer, ImmutableArray<string> choices)
    {
        writer.WriteStartArray("enum");
        foreach (var choice in choices)
        {
            // Without quotes YAML reads this word as a boolean, with quotes as a text, so both are allowed.
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
