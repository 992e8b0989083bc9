using System.Security.Cryptography;

namespace Imapsync.Tests.Support;

/// <summary>Reads mbox files strictly as mboxrd, without the product's code and without its files beside an mbox.</summary>
public static class MboxrdReader
{
    /// <summary>
    /// Returns the SHA-256 of every message below a directory, with CRLF line ends and without the mbox flag fields of mail programs.
    /// </summary>
    public static IReadOnlyList<string> Digests(string directory)
    {
        var digests = new List<string>();
        foreach (var file in Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories))
        {
            var octets = File.ReadAllBytes(file);
            if (octets.AsSpan().StartsWith("From "u8))
                Read(octets, digests);
        }

        return digests;
    }

    private static void Read(byte[] file, List<string> digests)
    {
        using var message = new MemoryStream();
        var (begun, inHeader, blankLines) = (false, false, 0);
        for (var at = 0; at < file.Length;)
        {
            var lineEnd = Array.IndexOf(file, (byte)'\n', at);
            var line = file.AsSpan(at, (lineEnd < 0 ? file.Length : lineEnd + 1) - at);
            at += line.Length;
            if (line.StartsWith("From "u8) && (!begun || blankLines > 0))
            {
                Finish(message, digests, begun, blankLines);
                (begun, inHeader, blankLines) = (true, true, 0);
                continue;
            }

            // Hold back empty lines, because the last one before a "From " line is not part of the message.
            if (line is [(byte)'\n'])
            {
                blankLines++;
                inHeader = false;
                continue;
            }

            WriteBlankLines(message, blankLines);
            blankLines = 0;
            if (inHeader && (line.StartsWith("Status:"u8) || line.StartsWith("X-Status:"u8) || line.StartsWith("X-Keywords:"u8)
                || line.StartsWith("Content-Length:"u8)))
                continue;
            message.Write(line.TrimStart((byte)'>').StartsWith("From "u8) && line[0] == '>' ? line[1..] : line);
        }

        Finish(message, digests, begun, blankLines);
    }

    private static void Finish(MemoryStream message, List<string> digests, bool begun, int blankLines)
    {
        if (!begun)
            return;
        WriteBlankLines(message, blankLines - 1);
        digests.Add(Convert.ToHexStringLower(SHA256.HashData(MaildirReader.WithCrLf(message.ToArray()))));
        message.SetLength(0);
    }

    private static void WriteBlankLines(MemoryStream message, int count)
    {
        for (; count > 0; count--)
            message.WriteByte((byte)'\n');
    }
}
