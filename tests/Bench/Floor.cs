using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Imapsync.Bench;

/// <summary>
/// Measures how fast the servers send and accept messages if the client does nothing else. Over one connection no program can be faster.
/// </summary>
internal static partial class Floor
{
    private const int WindowMessages = 100;

    /// <summary>Sends one FETCH for each folder and discards the replies.</summary>
    public static async Task<Measurement> FetchAsync(ImapPlace source, Mailbox mailbox)
    {
        await using var client = await RawImap.ConnectAsync(source);
        var begun = TimeProvider.System.GetTimestamp();
        var count = 0;
        foreach (var folder in mailbox.Folders)
        {
            var opened = await client.CommandAsync($"EXAMINE \"{folder}\"");
            var exists = int.Parse(Exists().Match(opened).Groups["count"].ValueSpan, CultureInfo.InvariantCulture);
            if (exists > 0)
                await client.CommandAsync("UID FETCH 1:* (FLAGS INTERNALDATE BODY.PEEK[])");
            count += exists;
        }

        return Whole(begun, count, mailbox);
    }

    /// <summary>
    /// Appends from memory with non-synchronising literals: either a hundred messages with one command, or a hundred commands sent together.
    /// </summary>
    public static async Task<Measurement> AppendAsync(ImapPlace target, Mailbox mailbox, bool isMulti)
    {
        var folders = mailbox.Load();
        await using var client = await RawImap.ConnectAsync(target);
        var begun = TimeProvider.System.GetTimestamp();
        var window = new MemoryStream();
        foreach (var (folder, messages) in folders)
        {
            if (folder != "INBOX")
                await client.CommandAsync($"CREATE \"{folder}\"");
            foreach (var chunk in messages.Chunk(WindowMessages))
            {
                var tag = client.NextTag();
                window.SetLength(0);
                for (var i = 0; i < chunk.Length; i++)
                {
                    if (i > 0 && !isMulti)
                        tag = client.NextTag();
                    var command = i > 0 && isMulti ? "" : $"{tag} APPEND \"{folder}\"";
                    window.Write(Encoding.Latin1.GetBytes($"{command} (\\Seen) \"17-Jul-2024 02:44:25 +0000\" {{{chunk[i].Length}+}}\r\n"));
                    window.Write(chunk[i]);
                    if (!isMulti || i == chunk.Length - 1)
                        window.Write("\r\n"u8);
                }

                // Read replies while the batch of messages is still being sent, so that the two sides do not block on each other's full buffers.
                var reply = client.ReplyAsync(tag);
                await client.SendAsync(window.GetBuffer().AsMemory(0, (int)window.Length));
                await reply;
            }
        }

        return Whole(begun, folders.Values.Sum(m => m.Count), mailbox);
    }

    private static Measurement Whole(long begun, int count, Mailbox mailbox)
    {
        var wall = TimeProvider.System.GetElapsedTime(begun).TotalSeconds;
        return count == mailbox.Messages
            ? new Measurement(wall)
            : throw new InvalidOperationException($"the floor moved {count} of {mailbox.Messages} messages");
    }

    [GeneratedRegex(@"^\* (?<count>\d+) EXISTS", RegexOptions.Multiline | RegexOptions.ExplicitCapture, 60_000)]
    private static partial Regex Exists();
}
