using Imapsync.Serving.Wire;

namespace Imapsync.Serving.Mime;

/// <summary>Writes ENVELOPE (RFC 9051 §7.5.2) from the header's own octets, unfolded but not decoded.</summary>
internal static class EnvelopeText
{
    public static void Write(BodyPart message, ResponseWriter output, AddressBudget budget)
    {
        var from = Addresses(message, "From", budget);
        output.Text("(").NString(message.LastField("Date")).Text(" ").NString(message.LastField("Subject")).Text(" ");
        Write(from, output);
        output.Text(" ");
        Write(Addresses(message, "Sender", budget) ?? from, output);
        output.Text(" ");
        Write(Addresses(message, "Reply-To", budget) ?? from, output);
        foreach (var name in (ReadOnlySpan<string>)["To", "Cc", "Bcc"])
        {
            output.Text(" ");
            Write(Addresses(message, name, budget), output);
        }

        output.Text(" ").NString(message.LastField("In-Reply-To")).Text(" ").NString(message.LastField("Message-ID")).Text(")");
    }

    /// <summary>Returns the addresses of all fields of this name, in their order in the header; null if there are none.</summary>
    private static List<MailAddress>? Addresses(BodyPart message, string name, AddressBudget budget)
    {
        var all = new List<MailAddress>();
        foreach (var (_, value) in message.Fields.Where(f => f.Name.Equals(name, StringComparison.OrdinalIgnoreCase)))
            AddressList.Parse(value, all, budget);
        return all.Count > 0 ? all : null;
    }

    private static void Write(List<MailAddress>? addresses, ResponseWriter output)
    {
        if (addresses is null)
        {
            output.Text("NIL");
            return;
        }

        output.Text("(");
        foreach (var (name, route, mailbox, host) in addresses)
            output.Text("(").NString(name).Text(" ").NString(route).Text(" ").NString(mailbox).Text(" ").NString(host).Text(")");
        output.Text(")");
    }
}
