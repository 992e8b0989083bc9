using Imapsync.Serving.Wire;

namespace Imapsync.Serving.Fetching;

internal enum FetchKind
{
    Flags,
    Uid,
    InternalDate,
    Size,
    Envelope,
    Body,
    BodyStructure,
    Section,
}

/// <param name="Name">The item's name in the answer.</param>
internal readonly record struct FetchItem(FetchKind Kind, string Name, BodySection? Section = null);

/// <summary>The items of a FETCH, in the requested order (RFC 9051 §6.4.5; RFC 3501 for RFC822…).</summary>
internal sealed record FetchRequest(IReadOnlyList<FetchItem> Items)
{
    public bool NeedsDate => Items.Any(i => i.Kind is FetchKind.InternalDate or FetchKind.Size);

    /// <summary>Whether the message's octets are needed in addition to the listing.</summary>
    public bool NeedsOctets => Items.Any(i => i.Kind >= FetchKind.Envelope);

    /// <summary>Whether the message's header is enough to answer all items.</summary>
    public bool NeedsHeaderOnly => Items.All(i => i.Kind <= FetchKind.Envelope || i is { Kind: FetchKind.Section, Section.IsOfHeader: true });

    /// <summary>Whether the message has to be parsed into its parts.</summary>
    public bool NeedsStructure => Items.Any(i => i.Kind is FetchKind.Envelope or FetchKind.Body or FetchKind.BodyStructure)
        || Items.Any(i => i.Section is { } section && (section.Path.Count > 0 || section.Part != SectionPart.All));

    public static FetchRequest Parse(CommandText command, bool byUid, ServingLimits limits)
    {
        var items = new List<FetchItem>();
        if (byUid)
            items.Add(new FetchItem(FetchKind.Uid, "UID"));
        if (command.TrySkip('('))
        {
            do
            {
                ParseItem(command, items);
                if (items.Count > limits.FetchItems)
                    throw new CommandException("too many items");
            }
            while (command.TrySkip(' '));
            command.Skip(')');
        }
        else
        {
            ParseItem(command, items);
        }

        command.End();
        // An item that is requested twice is answered once.
        return new FetchRequest([.. items.DistinctBy(i => i.Name, StringComparer.OrdinalIgnoreCase)]);
    }

    private static void ParseItem(CommandText command, List<FetchItem> items)
    {
        var word = command.Word();
        if (word is "BODY" or "BODY.PEEK" && command.TrySkip('['))
        {
            var section = BodySection.Parse(command);
            items.Add(new FetchItem(FetchKind.Section, section.AnswerName(), section));
            return;
        }

        switch (word)
        {
            case "ALL":
                Add(FetchKind.Flags, FetchKind.InternalDate, FetchKind.Size, FetchKind.Envelope);
                break;
            case "FAST":
                Add(FetchKind.Flags, FetchKind.InternalDate, FetchKind.Size);
                break;
            case "FULL":
                Add(FetchKind.Flags, FetchKind.InternalDate, FetchKind.Size, FetchKind.Envelope, FetchKind.Body);
                break;
            case "FLAGS":
                Add(FetchKind.Flags);
                break;
            case "UID":
                Add(FetchKind.Uid);
                break;
            case "INTERNALDATE":
                Add(FetchKind.InternalDate);
                break;
            case "RFC822.SIZE":
                Add(FetchKind.Size);
                break;
            case "ENVELOPE":
                Add(FetchKind.Envelope);
                break;
            case "BODY":
                Add(FetchKind.Body);
                break;
            case "BODYSTRUCTURE":
                Add(FetchKind.BodyStructure);
                break;
            case "RFC822":
                items.Add(new FetchItem(FetchKind.Section, "RFC822", BodySection.Whole));
                break;
            case "RFC822.HEADER":
                items.Add(new FetchItem(FetchKind.Section, "RFC822.HEADER", new BodySection([], SectionPart.Header, [])));
                break;
            case "RFC822.TEXT":
                items.Add(new FetchItem(FetchKind.Section, "RFC822.TEXT", new BodySection([], SectionPart.Text, [])));
                break;
            default:
                throw new CommandException("there is no such item to fetch");
        }

        void Add(params ReadOnlySpan<FetchKind> kinds)
        {
            foreach (var kind in kinds)
                items.Add(new FetchItem(kind, kind switch
                {
                    FetchKind.Flags => "FLAGS",
                    FetchKind.Uid => "UID",
                    FetchKind.InternalDate => "INTERNALDATE",
                    FetchKind.Size => "RFC822.SIZE",
                    FetchKind.Envelope => "ENVELOPE",
                    FetchKind.Body => "BODY",
                    _ => "BODYSTRUCTURE",
                }));
        }
    }
}
