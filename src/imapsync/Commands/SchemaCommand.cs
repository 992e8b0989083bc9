using System.CommandLine;
using Imapsync.Engine.Configuration;

namespace Imapsync.CommandLine.Commands;

/// <summary><c>imapsync schema</c>: prints the JSON Schema of a job file, for editors and other programs.</summary>
internal static class SchemaCommand
{
    public static Command Create(HostContext surroundings)
    {
        var command = new ExampleCommand("schema", "Print the JSON Schema of a job file, which lets an editor complete its keys and mark mistakes.",
            ("imapsync schema > job-file.schema.json", "Write it to a file. A job file names it in its first line: # yaml-language-server: $schema=job-file.schema.json"));
        command.SetAction(async (_, _) =>
        {
            await surroundings.Out.WriteAsync(JobSchemaDocument.Write());
            return ExitStatus.Ok;
        });
        return command;
    }
}
