using System.Globalization;
using System.Text;
using Imapsync.Engine.Stores.Imap;

namespace Imapsync.Servers.Tests.World;

/// <summary>
/// A message that its body alone identifies and shows to be undamaged, whatever a program did to header, folder or file name.
/// </summary>
internal sealed record WorldMail(int Number, DateTimeOffset Date, byte[] Octets)
{
    /// <summary>The earliest date of a message, in seconds since 1970: a date of January 2015.</summary>
    private const long FirstSecond = 1_420_000_000;
    private const string Mark = "this is number ";

    /// <summary>Most messages have the same size, so that size does not tell them apart.</summary>
    private static readonly int[] BodySizes = [400, 400, 400, 400, 401, 700, 2000];

    public string MessageId => Id(Number);

    /// <summary>The size as IMAP counts it.</summary>
    public long Size => Octets.Length + Octets.Count(o => o == '\n');

    public static string Id(int number) => $"{number:d6}.{number * 7919 % 1000:d3}@world.example";

    /// <param name="hasId">Without a Message-ID, little but the octets distinguishes a message from others.</param>
    public static WorldMail Make(Random random, int number, bool hasId = true)
    {
        var date = DateTimeOffset.FromUnixTimeSeconds(FirstSecond + random.NextInt64(300_000_000));
        var head = new StringBuilder();
        head.Append(CultureInfo.InvariantCulture, $"Date: {date:ddd, dd MMM yyyy HH:mm:ss '+0000'}\nFrom: user{number % 5} <user{number % 5}@example.org>\nTo: me@example.net\n");
        if (hasId)
            head.Append(CultureInfo.InvariantCulture, $"Message-ID: <{Id(number)}>\n");
        head.Append(CultureInfo.InvariantCulture, $"Subject: mail {number:d6}\n\n");
        var octets = Encoding.ASCII.GetBytes(head + Body(number, BodySizes[random.Next(BodySizes.Length)]));
        return new WorldMail(number, date, octets);
    }

    /// <summary>Returns the model's number of a message read from disk; negative if its body was changed.</summary>
    /// <exception cref="FormatException">The file is not a message of the model.</exception>
    public static int NumberOf(ReadOnlySpan<byte> octets)
    {
        var text = Encoding.Latin1.GetString(octets).Replace("\r\n", "\n", StringComparison.Ordinal);
        var body = text[(text.IndexOf("\n\n", StringComparison.Ordinal) + 2)..];
        if (!body.StartsWith(Mark, StringComparison.Ordinal))
            throw new FormatException("no message of this world: " + text);
        var words = body[Mark.Length..body.IndexOf('\n', StringComparison.Ordinal)].Split(' ');
        var number = int.Parse(words[0], CultureInfo.InvariantCulture);
        return body.TrimEnd('\n') == Body(number, int.Parse(words[^1], CultureInfo.InvariantCulture)).TrimEnd('\n') ? number : -number;
    }

    private static string Body(int number, int size)
    {
        var text = new StringBuilder().Append(CultureInfo.InvariantCulture, $"{Mark}{number:d6} of size {size:d6}\n");
        for (var line = 0; text.Length < size; line++)
            text.Append(CultureInfo.InvariantCulture, $"{number:d6} {line % 1000:d3} {(number * 31L) + (line * 17L) % 1_000_000:d9}\n");
        text.Length = size - 1;
        return text.Append('\n').ToString();
    }
}
