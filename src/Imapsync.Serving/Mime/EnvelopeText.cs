using Imapsync.Serving.Wire;

namespace Imapsync.Serving.Mime;

/// <summary>Writes ENVELOPE (RFC 9051 §7.5.2) from the header's own octets, unfolded but not decoded.</summary>
internal static class EnvelopeText
{
    public static void Write(BodyPart message, ResponseWriter output)
    {
        var from = Addresses(message, "From");
        output.Text("(").NString(message.LastField("Date")).Text(" ").NString(message.LastField("Subject")).Text(" ");
        Write(from, output);
        output.Text(" ");
        Write(Addresses(message, "Sender") ?? from, output);
        output.Text(" ");
        Write(Addresses(message, "Reply-To") ?? from, output);
        foreach (var name in (ReadOnlySpan<string>)["To", "Cc", "Bcc"])
        {
            output.Text(" ");
            Write(Addresses(message, name), output);
        }

        output.Text(" ").NString(message.LastField("In-Reply-To")).Text(" ").NString(message.LastField("Message-ID")).Text(")");
    }

    /// <summary>The addresses of all fields of this name, in their original order; null if there are none.</summary>
    private static List<MailAddress>? Addresses(BodyPart message, string name)
    {
        List<MailAddress>? all = null;
        foreach (var (known, value) in message.Fields)
        {
            if (!known.Equals(name, StringComparison.OrdinalIgnoreCase))
                continue;
            var these = AddressList.Parse(value);
            if (all is null)
                all = these;
            else
                all.AddRange(these);
        }

        return all is { Count: > 0 } ? all : null;
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
