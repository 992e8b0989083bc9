using System.Buffers.Text;
using System.Text;
using Imapsync.Serving.Wire;

namespace Imapsync.Serving.Sessions;

internal sealed partial class ImapSession
{
    private async ValueTask LogInAsync(string tag, CommandText text, CancellationToken cancellationToken)
    {
        text.Skip(' ');
        var user = text.AString();
        text.Skip(' ');
        var password = text.AString();
        text.End();
        await DecideAsync(tag, Utf8(user), Utf8(password), cancellationToken);
    }

    /// <summary>AUTHENTICATE PLAIN (RFC 4616), with or without an initial response (RFC 4959).</summary>
    private async ValueTask AuthenticateAsync(string tag, CommandText text, CancellationToken cancellationToken)
    {
        text.Skip(' ');
        if (text.Word() != "PLAIN")
            throw new RefusalException("PLAIN is the one mechanism here", "CANNOT");
        string? given;
        if (text.TrySkip(' '))
        {
            given = text.AString();
            text.End();
        }
        else
        {
            text.End();
            output.Line("+ ");
            await output.FlushAsync(cancellationToken);
            given = await reader.ReadPlainLineAsync(Limits.LogInTime, cancellationToken);
        }

        if (given is null or "*")
            throw new CommandException("given up");
        var octets = new byte[given.Length];
        if (!Base64.IsValid(given) || !Convert.TryFromBase64String(given, octets, out var length))
            throw new CommandException("that is no Base64");
        var fields = Encoding.UTF8.GetString(octets, 0, length).Split('\0');
        if (fields.Length != 3)
            throw new CommandException("PLAIN takes three fields");
        if (fields[0].Length > 0 && fields[0] != fields[1])
            throw new RefusalException("nobody acts for another here", "AUTHORIZATIONFAILED");
        await DecideAsync(tag, fields[1], fields[2], cancellationToken);
    }

    private async ValueTask DecideAsync(string tag, string user, string password, CancellationToken cancellationToken)
    {
        if (!await context.Guard.AcceptsAsync(user, password, cancellationToken))
        {
            context.Note($"{peer}: a log-in was refused");
            output.Line($"{tag} NO [AUTHENTICATIONFAILED] that is not the user and the password this server was started with");
            if (++failures >= Limits.LogInFailures)
                throw new ConversationEndException("too many wrong passwords");
            return;
        }

        isLoggedIn = true;
        failures = 0;
        reader.MaxBytes = Limits.CommandBytes;
        onLoggedIn();
        context.Note($"{peer}: logged in");
        output.Line($"{tag} OK [CAPABILITY {Capabilities}] logged in");
    }

    private static string Utf8(string octets) => Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(octets));
}
