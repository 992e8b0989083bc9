using System.Text;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Configuration;

/// <summary>
/// Writes a job as a job file that people can edit. Secrets are not resolved: the file says where to find them, for example in an
/// environment variable.
/// </summary>
internal static class JobFileText
{
    /// <param name="job">
    /// The settings as they were given. Paths are written as absolute paths, since the file may be stored anywhere.
    /// </param>
    public static string Write(SettingNode job, JobDefinition definition, JobReadContext reading)
    {
        var text = new StringBuilder("# A job of imapsync. Run it with: imapsync run FILE\n# Every key is described in docs/job-file.md.\njobs:\n");
        var lead = "  - ";
        foreach (var key in JobSchema.Job)
        {
            if (key.Name == "state")
                Add(text, lead, key, definition.StateDirectory);
            else if (job[key.Name] is { IsDefault: false } node && !node.IsTakenAway())
                Write(text, lead, node, key, definition, reading);
            lead = "    ";
        }

        return text.ToString();
    }

    private static void Write(StringBuilder text, string lead, SettingNode node, SettingKey key, JobDefinition definition, JobReadContext reading)
    {
        var below = new string(' ', lead.Length + 2);
        switch (key.Shape)
        {
            case SettingShape.Section or SettingShape.ChoiceOrSection when node.Kind == SettingKind.Mapping:
                text.Append(lead).Append(key.Name).Append(":   # ").Append(key.Purpose).Append('\n');
                foreach (var inner in key.Keys.Where(k => node[k.Name] is { IsDefault: false } child && !child.IsTakenAway()))
                    Write(text, below, node[inner.Name]!, inner, definition, reading);
                if ((key.Name == "source" ? definition.Source : definition.Target) is ServerEndpoint { Password: Secrets.PromptedSecret } && key.Name is "source" or "target")
                    text.Append(below).Append("# The password is asked for. To run without a terminal add password_env, password_file or password_command.\n");
                break;
            case SettingShape.Sections:
                text.Append(lead).Append(key.Name).Append(":   # ").Append(key.Purpose).Append('\n');
                foreach (var item in node.Items)
                {
                    var first = below + "- ";
                    foreach (var inner in key.Keys.Where(k => item[k.Name] is { } child && !child.IsTakenAway()))
                    {
                        Write(text, first, item[inner.Name]!, inner, definition, reading);
                        first = below + "  ";
                    }
                }

                break;
            case SettingShape.List:
                text.Append(lead).Append(key.Name).Append(":   # ").Append(key.Purpose).Append('\n');
                foreach (var (entry, _) in node.Entries())
                    text.Append(below).Append("- ").Append(Scalar(entry)).Append('\n');
                break;
            case SettingShape.Map:
                text.Append(lead).Append(key.Name).Append(":   # ").Append(key.Purpose).Append('\n');
                foreach (var entry in node.Children.Where(n => n.Kind == SettingKind.Value))
                    text.Append(below).Append(Scalar(entry.Key)).Append(": ").Append(Scalar(entry.Value!)).Append('\n');
                break;
            default:
                Add(text, lead, key, Absolute(node.Value!, key, reading));
                break;
        }
    }

    private static void Add(StringBuilder text, string lead, SettingKey key, string value) =>
        text.Append(lead).Append(key.Name).Append(": ").Append(Scalar(value)).Append("   # ").Append(key.Purpose).Append('\n');

    private static string Absolute(string value, SettingKey key, JobReadContext reading)
    {
        var origin = new SettingOrigin(key.Name);
        if (key.Name is "password_file" or "proxy_password_file" or "client_secret_file" or "service_account_file" or "ping_file" or "webhook_file" or "tls_ca_file" or "tls_client_certificate" or "tls_client_key")
            return reading.Resolve(origin, value) ?? value;
        return key.Name == "url" && EndpointUrl.Parse(value, origin, reading) is { Kind.IsServer: false } url ? $"{url.Scheme}:{url.ReadPath()}" : value;
    }

    /// <summary>
    /// Returns the text as a plain YAML scalar when every YAML reader treats it as that text, otherwise in double quotes.
    /// </summary>
    public static string Scalar(string value)
    {
        var isPlain = value.Length > 0 && (char.IsAsciiLetterOrDigit(value[0]) || value[0] == '/') && value[^1] != ':' && value != "null"
            && value.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '/' or '_' or '-' or '@' or '+' or ':');
        if (isPlain)
            return value;
        var quoted = new StringBuilder("\"");
        foreach (var c in value)
        {
            if (c is '"' or '\\')
                quoted.Append('\\').Append(c);
            else if (char.IsControl(c) || char.IsSurrogate(c) || c is '\u2028' or '\u2029' or '\uFEFF' or >= '\uFFFE')
                quoted.Append(System.Globalization.CultureInfo.InvariantCulture, $"\\u{(int)c:X4}");
            else
                quoted.Append(c);
        }

        return quoted.Append('"').ToString();
    }
}
