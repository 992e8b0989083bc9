using Imapsync.Engine.Mail;

namespace Imapsync.CommandLine.Commands;

/// <summary>What a look at one endpoint found; it changes nothing.</summary>
/// <param name="Failure">Why it can't be used.</param>
internal sealed record EndpointCheck(Endpoint Endpoint, IReadOnlyList<StoreFact> Facts, MailException? Failure)
{
    /// <summary>As <see cref="StoreTraits.HasLabels"/>.</summary>
    public bool HasLabels { get; init; }

    public int Status => Failure is null ? ExitStatus.Ok : ExitStatus.Of(Failure);

    /// <param name="isTarget">A directory that is not there yet is no failure.</param>
    public static async Task<EndpointCheck> RunAsync(Endpoint endpoint, bool isTarget, Surroundings surroundings, CancellationToken cancellationToken)
    {
        if (isTarget && MissingDirectory(endpoint) is { } fact)
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

    /// <summary>A fact where an endpoint is a directory that nobody made yet.</summary>
    public static StoreFact? MissingDirectory(Endpoint endpoint)
    {
        var directory = endpoint switch
        {
            MaildirEndpoint maildir => maildir.Directory,
            MboxEndpoint mbox => mbox.Directory,
            _ => null,
        };
        return directory is null || Directory.Exists(directory) ? null : new StoreFact("directory", "not there yet, the first run creates it");
    }
}
