using Imapsync.Bench.Contenders;
using Imapsync.Engine.Tests.Contracts;
using Imapsync.Tests.Support;

namespace Imapsync.Bench.Cases;

/// <summary>Copies messages that programs are known to alter or lose, and checks how each contender handles them.</summary>
internal static class Awkward
{
    public static async Task CopyAsync(BenchLab lab, CaseResult result)
    {
        // Use each message once, because a second copy with the same octets could hide the loss of the first.
        var corpus = AwkwardMessages.All.Select(m => (m.Key, Octets: m.Value))
            .Concat(AwkwardMail.Messages().Select(m => (Key: m.Name, Octets: WithCrlf(m.Octets))))
            .DistinctBy(m => Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(m.Octets))).ToList();
        foreach (var contender in ((IContender[])[lab.Imapsync(), lab.Mbsync(), lab.MailKit(), lab.MailKit(isBatched: false)]).Where(c => !lab.Options.Without.Contains(c.Name)))
        {
            // Each message has a mailbox of its own, so that a program that fails at one message is not blamed for the ones after it.
            var (altered, lost, names) = (0, 0, new List<string>());
            foreach (var (name, octets) in corpus)
            {
                await using var source = new OctetServer([octets]);
                await using var target = new OctetServer([]);
                var word = $"{contender.Name}-{corpus.IndexOf((name, octets))}";
                try
                {
                    await contender.RunAsync([new Transfer(word, new OctetPlace(source), new OctetPlace(target), lab["state-" + word])]);
                }
                catch (InvalidOperationException e)
                {
                    // The program reported a failure. The benchmark ignores it, because it only checks which messages have arrived.
                    await Console.Error.WriteLineAsync($"{name}: {e.Message}");
                }

                var arrived = target.Messages.Select(WithoutTuid).ToList();
                if (arrived.Count == 1 && arrived[0].AsSpan().SequenceEqual(octets))
                    continue;
                altered += arrived.Count == 0 ? 0 : 1;
                lost += arrived.Count == 0 ? 1 : 0;
                names.Add((arrived.Count == 0 ? "lost: " : "altered: ") + name);
            }

            if (contender is MbsyncContender)
                result.Notes.Add("mbsync adds a header X-TUID to every message it appends; that is not counted.");
            result.Faithfulness.Add(new Faithfulness(contender.Name, corpus.Count, altered, lost, names));
        }
    }

    private static byte[] WithoutTuid(byte[] octets)
    {
        var at = octets.AsSpan().IndexOf("X-TUID: "u8);
        return at < 0 ? octets : [.. octets.AsSpan(0, at), .. octets.AsSpan(at + octets.AsSpan(at).IndexOf("\r\n"u8) + 2)];
    }

    private static byte[] WithCrlf(byte[] octets)
    {
        var wire = new MemoryStream();
        foreach (var octet in octets)
        {
            if (octet == '\n')
                wire.WriteByte((byte)'\r');
            wire.WriteByte(octet);
        }

        return wire.ToArray();
    }
}
