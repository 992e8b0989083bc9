using System.CommandLine;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Imapsync.Fleet.Serving;
using Imapsync.Fleet.Working;

namespace Imapsync.Fleet.Commands;

/// <summary><c>imapsync-fleet serve</c>: the web pages, the API, and a worker in the same process.</summary>
internal static class ServeCommand
{
    public static Command Create(TextWriter output, TextWriter error)
    {
        var command = new Command("serve", "Offer the web pages and the API, and work on the list. On one machine nothing else is needed.");
        var options = new FleetOptions(command);
        var listen = new Option<string>("--listen") { Description = "Where to listen. Addresses that other machines reach need TLS.", HelpName = "ADDRESS:PORT", DefaultValueFactory = _ => "127.0.0.1:8140" };
        var certificate = new Option<string>("--tls-cert") { Description = "PEM file of the certificate.", HelpName = "FILE" };
        var key = new Option<string>("--tls-key") { Description = "PEM file of its key.", HelpName = "FILE" };
        var clear = new Option<bool>("--clear-text") { Description = "Listen in clear text on an address that other machines reach: something in front of it does TLS." };
        foreach (var option in new Option[] { listen, certificate, key, clear })
            command.Add(option);
        var oidc = new OidcOptions(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            if (!IPEndPoint.TryParse(parsed.GetValue(listen)!, out var address))
                throw new FleetException($"'{parsed.GetValue(listen)}' is no address; write it like 127.0.0.1:8140 or [::1]:8140");
            using var identity = parsed.GetValue(certificate) is { } file ? X509Certificate2.CreateFromPemFile(file, parsed.GetValue(key) ?? file) : null;
            if (!IPAddress.IsLoopback(address.Address) && identity is null && !parsed.GetValue(clear))
                throw new FleetException($"{address} can be reached by other machines, and tokens would cross the network in clear text; give --tls-cert and --tls-key, or --clear-text where something in front of it does TLS");
            var provider = oidc.SettingsOf(parsed);
            using var signals = new StopSignals();
            var data = options.DataOf(parsed);
            var tokens = new Tokens(Path.Combine(data, "tokens"));
            if (tokens.IsEmpty)
                await output.WriteLineAsync($"token: {tokens.Add("first", Role.Operate)}");
            await using var store = await options.OpenStoreAsync(parsed, isShared: false, signals.Token);
            var reader = options.ReaderOf(parsed);
            await using var app = FleetServer.Build(address, identity, store, reader, tokens, Path.Combine(data, "keys"), provider);
            await app.StartAsync(signals.Token);
            await error.WriteLineAsync($"Serving {store.Display} on {app.Urls.First()}. Ctrl-C ends it.");
            await output.WriteLineAsync($"url: {app.Urls.First()}");
            await output.FlushAsync(cancellationToken);
            if (options.SlotsOf(parsed) > 0)
            {
                await using var worker = options.WorkerOf(parsed, store, reader, app.Services.GetRequiredService<ILogger<FleetWorker>>());
                await worker.StartAsync(signals.Token);
                await signals.WaitAsync();
                await worker.DrainAsync();
            }
            else
            {
                await signals.WaitAsync();
            }

            await app.StopAsync(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(5), TimeProvider.System, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return 0;
        });
        return command;
    }
}
