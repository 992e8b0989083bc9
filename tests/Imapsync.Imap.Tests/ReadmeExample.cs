using Imapsync.Imap.Client;

namespace Imapsync.Imap.Tests;

/// <summary>The example in src/Imapsync.Imap/README.md, which must be identical to this code.</summary>
internal static class ReadmeExample
{
    public static async Task RunAsync(ImapClientOptions options, ImapCredentials credentials, TextWriter output, string directory, CancellationToken cancellationToken)
    {
        // example: begin
        await using var client = await ImapClient.ConnectAsync(options, cancellationToken);
        await client.LogInAsync(credentials, cancellationToken);
        foreach (var folder in await client.ListAsync("", "*", cancellationToken))
            await output.WriteLineAsync(ModifiedUtf7.Decode(folder.WireName));

        var inbox = await client.SelectAsync("INBOX", readOnly: true, cancellationToken);
        if (inbox.Counters.Messages > 0)
        {
            var all = UidSet.Range(new Uid(1), inbox.Counters.UidNext);
            await using var feed = new BodyFeed();
            await client.StartFetchAsync(all, section: "", feed, cancellationToken);
            // The messages arrive one at a time. Each call of NextAsync releases the previous message, so its body must be read before the call.
            while (await feed.NextAsync(cancellationToken) is FetchedBody message)
            {
                await using var file = File.Create(Path.Combine(directory, $"{message.Uid}.eml"));
                await message.Body.CopyToAsync(file, cancellationToken);
            }
        }

        await client.LogOutAsync(cancellationToken);
        // example: end
    }
}
