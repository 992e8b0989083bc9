using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;

namespace Imapsync.CommandLine.Commands;

/// <summary>What a look at one endpoint found; it changes nothing.</summary>
/// <param name="Failure">Why it can't be used.</param>
internal sealed record EndpointCheck(Endpoint Endpoint, IReadOnlyList<StoreFact> Facts, MailException? Failure)
{
    /// <summary>As <see cref="StoreTraits.HasLabels"/>.</summary>
    public bool HasLabels { get; init; }

    public int Status => Failure is null ? ExitStatus.Ok : ExitStatus.Of(Failure);

    /// <param name="isTarget">A directory that is not there yet or holds nothing is no failure; one that can't be written is.</param>
    public static async Task<EndpointCheck> RunAsync(Endpoint endpoint, bool isTarget, HostContext surroundings, CancellationToken cancellationToken)
    {
        if (isTarget && WhyNotWritable(endpoint) is { } why)
            return new EndpointCheck(endpoint, [], new MailException(FailureScope.Store, false, why));
        if (isTarget && DirectoryToFill(endpoint) is { } fact)
            return new EndpointCheck(endpoint, [fact], null);
        var notes = new List<StoreFact>();
        void Note(string text)
        {
            lock (notes)
                notes.Add(new StoreFact("note", text, IsWarning: true));
        }

        var context = new StoreContext(surroundings.Time, Note) { OnUnread = (_, _, text) => Note(text) };
        try
        {
            await using var store = await surroundings.OpenStore(endpoint, false, context, cancellationToken);
            var facts = await store.DescribeAsync(cancellationToken);
            lock (notes)
                return new EndpointCheck(endpoint, [.. facts, .. notes], null) { HasLabels = store.Traits.HasLabels };
        }
        catch (MailException e)
        {
            return new EndpointCheck(endpoint, [], e);
        }
    }

    /// <summary>A fact where an endpoint is a directory that nobody made yet, or that holds nothing, as a new volume does.</summary>
    public static StoreFact? DirectoryToFill(Endpoint endpoint)
    {
        if (DirectoryOf(endpoint) is not { } directory)
            return null;
        if (!Path.Exists(directory))
            return new StoreFact("directory", "not there yet, the first run creates it");
        try
        {
            // ext4 puts lost+found into a new file system.
            return Directory.Exists(directory) && Directory.EnumerateFileSystemEntries(directory).All(e => Path.GetFileName(e) == "lost+found")
                ? new StoreFact("directory", "empty, the first run fills it")
                : null;
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            // Opening it says what is wrong.
            return null;
        }
    }

    private static string? WhyNotWritable(Endpoint endpoint)
    {
        for (var path = DirectoryOf(endpoint); path is not null; path = Path.GetDirectoryName(path))
        {
            if (Directory.Exists(path))
                return FileErrors.WhyNotWritable(path);
            if (Path.Exists(path))
                return $"{path} is a file, so there can be no directory of that name";
        }

        return null;
    }

    private static string? DirectoryOf(Endpoint endpoint) => endpoint.Place is { } place ? Path.GetFullPath(place) : null;
}
