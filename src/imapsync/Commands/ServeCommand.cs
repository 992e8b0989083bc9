using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Imapsync.CommandLine.Output;
using Imapsync.Engine.Configuration;
using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;
using Imapsync.Serving;

namespace Imapsync.CommandLine.Commands;

/// <summary><c>imapsync serve</c>: offers a backup as an IMAP account, so that any mail program can read it.</summary>
internal static class ServeCommand
{
    private const int ClearPort = 1143;
    private const int TlsPort = 1993;
    private const int ShortestPassword = 12;

    public static Command Create(HostContext surroundings)
    {
        var command = new ExampleCommand("serve", "Offer a backup as an IMAP account that mail programs can read and search. Nothing in it can be changed.",
            ("imapsync serve jobs.yaml alice", "On 127.0.0.1, port 1143, with a password that is printed and made anew each time."),
            ("imapsync serve maildir:/var/backups/mail/alice --port 0", "A directory without a job file, on a free port."),
            ("imapsync serve jobs.yaml alice --listen 192.0.2.7 --tls-cert cert.pem --tls-key key.pem", "For other machines, over TLS."));
        var arguments = new BackupArguments(command);
        var options = new Options();
        foreach (var option in options.All)
            command.Add(option);
        command.SetAction((parsed, cancellationToken) => StopSignals.GuardAsync(
            surroundings.Time, (_, stop) => RunAsync(parsed, arguments, options, surroundings, stop), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, BackupArguments arguments, Options options, HostContext surroundings, CancellationToken stop)
    {
        var backup = await arguments.ReadAsync(parsed, surroundings, stop);
        var certificate = options.ReadCertificate(parsed);
        var where = options.ReadAddress(parsed, certificate is not null);
        var given = options.ReadPassword(parsed, surroundings);
        var password = given ?? LogInGuard.NewPassword();
        try
        {
            await using var store = await BackupArguments.OpenAsync(backup, surroundings, stop);
            var guard = new LogInGuard(backup.Name, password, surroundings.Time);
            await using var server = new BackupServer(
                store, where, guard, certificate, ServingLimits.Default, surroundings.Time, text => surroundings.Error.WriteLine(TerminalText.Escape(text)));
            await surroundings.Error.WriteLineAsync(TerminalText.Escape(
                $"Serving {backup.Endpoint.Display}, to be read only, on {server.Address}{(certificate is null ? ", in clear text since nothing leaves this machine" : " over TLS")}. Ctrl-C ends it."));
            await surroundings.Out.WriteLineAsync(TerminalText.Escape($"server: {server.Address.Address}"));
            await surroundings.Out.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"port: {server.Address.Port}"));
            await surroundings.Out.WriteLineAsync($"security: {(certificate is null ? "none" : "TLS")}");
            await surroundings.Out.WriteLineAsync(TerminalText.Escape($"user: {backup.Name}"));
            await surroundings.Out.WriteLineAsync($"password: {(given is null ? password : "as given")}");
            if (parsed.GetValue(options.PortFile) is { } portFile)
                await OutputFile.WriteAsync(portFile, file => file.WriteAsync(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{server.Address.Port}\n")), stop).AsTask());
            await server.RunAsync(stop);
            return ExitStatus.Ok;
        }
        catch (SocketException e)
        {
            await surroundings.Error.WriteLineAsync(TerminalText.Escape(
                $"cannot listen on {where}: {e.Message}; give another --port, or 0 for any that is free{(IPAddress.IsLoopback(where.Address) ? "" : ", or an address that this machine has")}"));
            return ExitStatus.Failed;
        }
        catch (MailException e)
        {
            await surroundings.Error.WriteLineAsync(TerminalText.Escape(e.Message));
            return ExitStatus.Of(e);
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            await surroundings.Error.WriteLineAsync(TerminalText.Escape(FileErrors.Explain(e)));
            return ExitStatus.Failed;
        }
    }

    private static ConfigurationException Wrong(string option, string message, string remedy) =>
        new([new ConfigurationError(new SettingOrigin(option), message, remedy)]);

    private sealed class Options
    {
        private readonly Option<int?> port = new("--port") { Description = "The port to listen on, 0 for any that is free; 1143 by default, with TLS 1993.", HelpName = "N" };
        private readonly Option<string> listen = new("--listen") { Description = "The address to listen on; 127.0.0.1 by default. Any that other machines reach needs TLS.", HelpName = "ADDR" };
        private readonly Option<string> certificate = new("--tls-cert") { Description = "Speak TLS with this certificate (PEM, with those that vouch for it).", HelpName = "FILE" };
        private readonly Option<string> key = new("--tls-key") { Description = "Its key (PEM); not needed where it stands in the same file.", HelpName = "FILE" };
        private readonly Option<string> password = new("--password-env") { Description = "Take the password from this environment variable in place of a new one.", HelpName = "NAME" };

        public Option<string> PortFile { get; } = new("--port-file") { Description = "Write the port to this file as soon as the server listens, for scripts.", HelpName = "FILE" };

        public IEnumerable<Option> All => [port, listen, certificate, key, password, PortFile];

        public IPEndPoint ReadAddress(ParseResult parsed, bool hasTls)
        {
            var wanted = parsed.GetValue(port) ?? (hasTls ? TlsPort : ClearPort);
            if (wanted is < 0 or > 65535)
                throw Wrong("--port", $"{wanted} is no port", "give one from 1 to 65535, or 0 for any that is free");
            if (!IPAddress.TryParse(parsed.GetValue(listen) ?? "127.0.0.1", out var address))
                throw Wrong("--listen", $"'{parsed.GetValue(listen)}' is no IP address", "give one of this machine's, such as 127.0.0.1 or ::1");
            if (!hasTls && !IPAddress.IsLoopback(address))
                throw Wrong("--listen", $"other machines reach {address}, and the password and the mail would go there in clear text", "give --tls-cert and --tls-key, or listen on 127.0.0.1");
            return new IPEndPoint(address, wanted);
        }

        public SslStreamCertificateContext? ReadCertificate(ParseResult parsed)
        {
            if (parsed.GetValue(certificate) is not { } file)
                return parsed.GetValue(key) is null ? null : throw Wrong("--tls-key", "there is a key and no certificate", "give --tls-cert as well");
            try
            {
                var chain = new X509Certificate2Collection();
                chain.ImportFromPemFile(file);
                return SslStreamCertificateContext.Create(X509Certificate2.CreateFromPemFile(file, parsed.GetValue(key)), chain, offline: true);
            }
            catch (Exception e) when (e is CryptographicException or ArgumentException || FileErrors.Is(e))
            {
                throw Wrong("--tls-cert", $"the certificate and its key can't be read from {file}{(parsed.GetValue(key) is { } other ? $" and {other}" : "")}: {e.Message}", "give PEM files, the key without a passphrase");
            }
        }

        public string? ReadPassword(ParseResult parsed, HostContext surroundings)
        {
            if (parsed.GetValue(password) is not { } name)
                return null;
            if (!surroundings.Environment.TryGetValue(name, out var text))
                throw Wrong("--password-env", $"there is no environment variable {name}", "set and export it, or leave the option out");
            return text.Length >= ShortestPassword
                ? text
                : throw Wrong("--password-env", $"the password in {name} is shorter than {ShortestPassword} characters", "take a longer one: others on this machine can try");
        }
    }
}
