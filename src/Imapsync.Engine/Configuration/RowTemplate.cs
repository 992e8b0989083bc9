using System.Text;
using Imapsync.Engine.Tables;

namespace Imapsync.Engine.Configuration;

/// <summary>A row from which a job is created, with the origin of each cell.</summary>
/// <param name="Cells">The cells, in column order.</param>
internal sealed record JobRow(IReadOnlyList<string> Cells, Func<int, SettingOrigin> OriginOf)
{
    /// <summary>See <see cref="IRowReader.TroubleOf"/>.</summary>
    public Func<int, (string Message, string Remedy)?> TroubleOf { get; init; } = _ => null;
}

/// <summary>
/// A job in which column names in braces, such as <c>{user}</c>, are replaced by the cells of a row. A cell can't add YAML structure,
/// because it is inserted into values that are already parsed. In a URL, path or command, a cell can't become more than one part. A literal
/// brace is written twice.
/// </summary>
internal sealed class RowTemplate
{
    private readonly SettingNode job;
    private readonly IReadOnlyList<string> columns;
    private readonly string table;
    private readonly List<ConfigurationError> errors;
    private readonly HashSet<int> secrets = [];
    private readonly HashSet<int> used = [];
    private readonly List<(int Column, SettingOrigin Origin)> open = [];
    private readonly Node root;

    /// <param name="table">The name of the table with the columns, for error texts.</param>
    public RowTemplate(SettingNode job, IReadOnlyList<string> columns, string table, List<ConfigurationError> errors)
    {
        (this.job, this.columns, this.table, this.errors) = (job, columns, table, errors);
        root = Compile(job.WithChildren([], without: "for_each"), new SettingKey("", SettingShape.Section, "") { Keys = JobSchema.Job }) ?? new Node(job, null, []);
        foreach (var (column, origin) in open.Where(o => secrets.Contains(o.Column)))
            errors.Add(new ConfigurationError(origin, $"the column '{columns[column]}' holds a secret by its use in another place, and would be shown here", "use another column"));
        if (used.Count == 0 && errors.Count == 0)
            errors.Add(new ConfigurationError(job["for_each"]!.KeyOrigin, "no value of this job has a column in it, so all rows would make the same job", $"put columns in braces, in quotes, for example name: \"{{{columns[0]}}}\""));
    }

    /// <summary>
    /// Returns whether the row has a value in at least one of the columns that the job uses. A row without any value makes no job.
    /// </summary>
    public bool Concerns(IReadOnlyList<string> cells) => used.Any(column => cells[column].Length > 0);

    /// <summary>The columns that contain secrets such as passwords.</summary>
    public IReadOnlySet<int> Secrets => secrets;

    /// <summary>Returns the job for a row. An empty or invalid cell is reported, and the values are filled in without it.</summary>
    public SettingNode Fill(JobRow row, List<ConfigurationError> rowErrors)
    {
        // An empty or unusable cell is reported here, once per column; it is not inserted into any value.
        foreach (var column in used)
        {
            if (row.TroubleOf(column) is var (message, remedy))
                rowErrors.Add(new ConfigurationError(row.OriginOf(column), message, remedy));
            else if (row.Cells[column].Length == 0)
                rowErrors.Add(new ConfigurationError(row.OriginOf(column), $"the cell of '{columns[column]}' is empty", "fill it in, or remove the row"));
        }

        return Fill(root, row, rowErrors);
    }

    private SettingNode Fill(Node node, JobRow row, List<ConfigurationError> rowErrors)
    {
        if (node.Parts is null)
            return node.Children.Count == 0 ? node.Setting : node.Setting.WithChildren(node.Children.Select(c => Fill(c, row, rowErrors)));
        var origin = row.OriginOf(node.Parts.First(p => p.Column >= 0).Column);
        var value = new StringBuilder();
        foreach (var part in node.Parts)
        {
            var encoded = part.Text;
            if (part.Column >= 0 && row.Cells[part.Column].Length > 0 && RowUse.Encode(row.Cells[part.Column], part.Zone, columns[part.Column], out encoded) is var (message, remedy))
                rowErrors.Add(new ConfigurationError(row.OriginOf(part.Column), message, remedy));
            else
                value.Append(encoded);
        }

        return node.Setting.WithValue(value.ToString(), origin);
    }

    /// <summary>
    /// Splits the values of a setting into literal text and columns, ready to be filled in; returns null when it contains no column name.
    /// </summary>
    private Node? Compile(SettingNode setting, SettingKey? key)
    {
        if (setting.Kind == SettingKind.Value)
            return CompileValue(setting, key);
        if (LooksLikeColumn(setting) is { } column)
        {
            errors.Add(new ConfigurationError(setting.ValueOrigin, "braces that are not in quotes mean a section to YAML", $"put the value in quotes: {setting.Key}: \"{{{column}}}\""));
            return null;
        }

        var children = setting.Children.Select(c => Compile(c, KeyOf(c, key))).OfType<Node>().ToList();
        return children.Count == 0 ? null : new Node(setting, null, children);
    }

    /// <summary>
    /// Returns the schema's key for a child of a setting. For an entry of a list of sections, which has no key of its own, it returns the
    /// key of the list.
    /// </summary>
    private static SettingKey? KeyOf(SettingNode child, SettingKey? above) => above?.Shape switch
    {
        SettingShape.Sections => above with { Shape = SettingShape.Section },
        SettingShape.List or SettingShape.Map => above,
        _ => above?.Keys.FirstOrDefault(k => k.Name == child.Key),
    };

    /// <summary>
    /// Returns the column name when a value is <c>{user}</c> without quotes, which YAML reads as a section with one key and no value.
    /// </summary>
    private string? LooksLikeColumn(SettingNode setting) =>
        setting.Kind == SettingKind.Mapping && setting.Children.Take(2).ToList() is [{ Kind: SettingKind.Nothing } only] && columns.Contains(only.Key) ? only.Key : null;

    private Node? CompileValue(SettingNode setting, SettingKey? key)
    {
        var text = setting.Value!;
        if (text.IndexOfAny(['{', '}']) < 0)
            return null;
        var parts = new List<RowPart>();
        var literal = new StringBuilder();
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] is not ('{' or '}'))
            {
                literal.Append(text[i]);
                continue;
            }

            if (i + 1 < text.Length && text[i + 1] == text[i])
            {
                literal.Append(text[i++]);
                continue;
            }

            var end = text[i] == '{' ? text.IndexOf('}', i) : -1;
            if (end < 0)
            {
                errors.Add(new ConfigurationError(setting.ValueOrigin, $"a '{text[i]}' stands alone here", "write a column's name in braces, or a brace itself doubled: {{ or }}"));
                return null;
            }

            parts.Add(new RowPart(literal.ToString(), -1));
            literal.Clear();
            if (ColumnOf(text[(i + 1)..end], setting) is { } column)
                parts.Add(new RowPart("", column));
            i = end;
        }

        parts.Add(new RowPart(literal.ToString(), -1));
        var filled = parts.Where(p => p.Column >= 0).Select(p => p.Column).ToList();
        used.UnionWith(filled);
        if (key?.IsSecret == true)
            secrets.UnionWith(filled);
        else
            open.AddRange(filled.Select(c => (c, setting.ValueOrigin)));
        if (filled.Count == 0)
            return new Node(setting.WithValue(string.Concat(parts.Select(p => p.Text)), setting.ValueOrigin), null, []);
        return new Node(setting, [.. RowUse.Place(parts, key)], []);
    }

    private int? ColumnOf(string name, SettingNode setting)
    {
        var at = columns.Index().Where(c => c.Item == name).Select(c => c.Index).FirstOrDefault(-1);
        if (at >= 0)
            return at;
        var nearest = EditDistance.Nearest(name, columns);
        errors.Add(new ConfigurationError(
            setting.ValueOrigin, $"there is no column '{name}' in {table}",
            nearest is null ? $"its columns are {string.Join(", ", columns.Take(20))}; a brace itself is written doubled" : $"did you mean '{nearest}'?"));
        return null;
    }

    /// <param name="Parts">The parts of a value; null for a section, and for a value without a column name.</param>
    /// <param name="Children">The children that contain a column name.</param>
    private sealed record Node(SettingNode Setting, IReadOnlyList<RowPart>? Parts, IReadOnlyList<Node> Children);
}
