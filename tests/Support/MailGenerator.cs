using System.Text;

namespace Imapsync.Tests.Support;

/// <summary>The parameters of a generated mailbox. The same values produce the same octets on every machine.</summary>
public sealed record MailboxPlan
{
    public int Messages { get; init; } = 20_000;

    public int Seed { get; init; } = 1;

    /// <summary>The median size of messages. Sizes are log-normally distributed, as in real mailboxes.</summary>
    public int MedianBytes { get; init; } = 4000;

    public int MaxBytes { get; init; } = 1_000_000;

    /// <summary>The standard deviation of the logarithm of sizes. 0 makes all messages the same size.</summary>
    public double SizeSpread { get; init; } = 1.2;

    /// <summary>A single folder besides INBOX that gets all messages; null for the usual twelve folders.</summary>
    public string? OnlyFolder { get; init; }

    /// <summary>Whether to add folders whose names careless programs can't handle.</summary>
    public bool AwkwardNames { get; init; }

    /// <summary>Whether to add the messages of <see cref="AwkwardMail"/>, in the folder <see cref="AwkwardMail.Folder"/>.</summary>
    public bool AwkwardMessages { get; init; }
}

/// <summary>Generates mailboxes: many messages in twelve folders with flags, keywords, dates and subscriptions.</summary>
public static class MailGenerator
{
    /// <summary>The earliest date: 2017-07-14.</summary>
    private const long FirstSecond = 1_500_000_000;

    public static readonly string[] Folders =
    [
        "INBOX", "Sent", "Drafts", "Trash", "Archive", "Archive/2024", "Archive/2025", "Lists", "Lists/dotnet", "Work",
        "Work/Invoices", "Work/Projects/Alpha",
    ];

    /// <summary>For each folder, how many of 42 messages it gets on average.</summary>
    private static readonly int[] Weights = [8, 4, 1, 1, 6, 3, 3, 5, 5, 3, 2, 1];

    private static readonly string[] Words =
        "invoice meeting project status report update deadline budget server backup review lunch travel contract".Split(' ');

    /// <summary>Writes a generated mailbox as a new Maildir++ tree.</summary>
    public static MaildirWriter Fill(string directory, MailboxPlan plan)
    {
        Directory.CreateDirectory(directory);
        var random = new Random(plan.Seed);
        var mailbox = new MaildirWriter(directory);
        var text = WordLines(random, Math.Max(plan.MaxBytes, 64 * 1024));
        var lots = plan.OnlyFolder is { } one ? [one] : Weights.SelectMany((w, i) => Enumerable.Repeat(Folders[i], w)).ToArray();
        foreach (var folder in plan.OnlyFolder is null ? Folders : ["INBOX", plan.OnlyFolder])
            mailbox.AddFolder(folder);
        for (var i = 0; i < plan.Messages; i++)
        {
            var size = Math.Min((int)(plan.MedianBytes * Math.Exp(plan.SizeSpread * Normal(random))) + 300, plan.MaxBytes);
            mailbox.Add(lots[random.Next(lots.Length)], Message(random, i, size, text), Date(i), Flags(random));
        }

        foreach (var folder in plan.AwkwardNames ? AwkwardMail.FolderNames : [])
            mailbox.Add(folder, Message(random, mailbox.Count, 2000, text), Date(mailbox.Count), Flags(random));
        if (plan.AwkwardMessages)
            AddAwkward(mailbox, random);

        mailbox.Subscribe(Folders.Concat(plan.AwkwardNames ? AwkwardMail.FolderNames : []).Where(_ => random.NextDouble() < 0.8));
        return mailbox;
    }

    public static void AddAwkward(MaildirWriter mailbox, Random random)
    {
        foreach (var (_, octets) in AwkwardMail.Messages())
            mailbox.Add(AwkwardMail.Folder, octets, Date(mailbox.Count), Flags(random));
    }

    /// <summary>Generates one ordinary message with LF line ends.</summary>
    public static byte[] Message(int number, int size = 1000)
    {
        var random = new Random(number);
        return Message(random, number, size, WordLines(random, size + 1024));
    }

    public static DateTimeOffset Date(int number) =>
        DateTimeOffset.FromUnixTimeSeconds(FirstSecond + (number * 3607L % 200_000_000) + number);

    private static byte[] Message(Random random, int number, int size, byte[] text)
    {
        var date = Date(number).ToString("ddd, dd MMM yyyy HH:mm:ss '+0000'");
        var head = $"""
            Return-Path: <user{number % 97}@example.org>
            Received: from mx{number % 5}.example.org by mx.example.net with ESMTPS id {random.NextInt64():x}; {date}
            Date: {date}
            From: User {number % 97} <user{number % 97}@example.org>
            To: me@example.net
            Subject: {Words[random.Next(Words.Length)]} {Words[random.Next(Words.Length)]} #{number}
            Message-ID: <{number:d7}.{random.NextInt64():x}@gen.example>
            MIME-Version: 1.0
            Content-Type: text/plain; charset=utf-8


            """;
        var octets = new byte[Math.Max(size, head.Length + 20)];
        var at = Encoding.ASCII.GetBytes(head, octets);
        text.AsSpan(random.Next(text.Length - (octets.Length - at) + 1), octets.Length - at).CopyTo(octets.AsSpan(at));
        octets[^1] = (byte)'\n';
        return octets;
    }

    private static byte[] WordLines(Random random, int length)
    {
        var text = new StringBuilder(length + 100);
        while (text.Length < length)
        {
            for (var i = 0; i < 10; i++)
                text.Append(Words[random.Next(Words.Length)]).Append(' ');
            text[^1] = '\n';
        }

        return Encoding.ASCII.GetBytes(text.ToString());
    }

    private static string Flags(Random random)
    {
        var flags = new StringBuilder();
        foreach (var (flag, share) in (ReadOnlySpan<(char, double)>)[('D', .02), ('F', .1), ('R', .2), ('S', .8), ('T', .01)])
        {
            if (random.NextDouble() < share)
                flags.Append(flag);
        }

        if (random.NextDouble() < .3)
        {
            for (var slot = 0; slot < MaildirWriter.Keywords.Length; slot++)
            {
                if (random.NextDouble() < .3)
                    flags.Append((char)('a' + slot));
            }
        }

        return flags.ToString();
    }

    /// <summary>Returns a normally distributed number by the Box-Muller method.</summary>
    private static double Normal(Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
