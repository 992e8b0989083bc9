using System.Net;
using Imapsync.Engine.History;
using Imapsync.Engine.Progress;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Imapsync.CommandLine;

/// <summary>
/// Sends spans and metrics of a run by OTLP, as OpenTelemetry's environment variables request. Without these variables nothing is set up. A
/// failure to send is reported and does not affect the run.
/// </summary>
internal sealed class TelemetryExport
{
    private const string Endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";

    private readonly Action<string> say;
    private readonly Lock gate = new();

    // Each of these functions sends the data that is still queued. The providers are not disposed, because disposal would wait a
    // second time for a collector that does not answer.
    private readonly Action? endTraces, endMetrics;
    private string? trouble;

    private TelemetryExport(IReadOnlyDictionary<string, string> environment, Action<string> say)
    {
        this.say = say;
        // The environment's description of the service overrides the program's own.
        var resource = ResourceBuilder.CreateEmpty().AddService("imapsync", serviceVersion: ProgramVersion.Text, autoGenerateServiceInstanceId: false)
            .AddAttributes([new("host.name", Dns.GetHostName())]).AddTelemetrySdk().AddEnvironmentVariableDetector();
        if (IsWanted(environment, "TRACES"))
        {
            var traces = Sdk.CreateTracerProviderBuilder().SetResourceBuilder(resource).AddSource(JobTrace.SourceName).AddOtlpExporter(o => SetUp(o, environment, "TRACES")).Build();
            endTraces = () => traces.Shutdown();
        }

        if (IsWanted(environment, "METRICS"))
        {
            var metrics = Sdk.CreateMeterProviderBuilder().SetResourceBuilder(resource).AddMeter(JobFigures.MeterName).AddOtlpExporter(o => SetUp(o, environment, "METRICS")).Build();
            endMetrics = () => metrics.Shutdown();
        }
    }

    /// <returns>Null if no export is requested, or if the variables are invalid, which is reported.</returns>
    public static TelemetryExport? Start(IReadOnlyDictionary<string, string> environment, Action<string> say)
    {
        if (Value(environment, "OTEL_SDK_DISABLED") is { } disabled && disabled.Equals("true", StringComparison.OrdinalIgnoreCase))
            return null;
        if (!IsWanted(environment, "TRACES") && !IsWanted(environment, "METRICS"))
            return null;
        foreach (var name in (string[])[Endpoint, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"])
        {
            if (Value(environment, name) is { } text && !(Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https"))
            {
                // The URL itself is not shown, because it may contain a key.
                say($"{name} is no http:// or https:// URL; no telemetry is sent");
                return null;
            }
        }

        try
        {
            return new TelemetryExport(environment, say);
        }
        catch (Exception e) when (e is ArgumentException or FormatException or InvalidOperationException or NotSupportedException)
        {
            // OpenTelemetry rejects the variables, for example because their headers have an invalid form. The exception's text is not
            // shown, because it may contain these headers.
            say($"OpenTelemetry's variables can't be used ({e.GetType().Name}); no telemetry is sent");
            return null;
        }
    }

    /// <summary>Sends the data that is still queued, and the present status of the jobs.</summary>
    /// <param name="standings">Returns the status of the jobs; called only if metrics are exported.</param>
    /// <param name="patience">How long to wait; what has not been sent by then is given up.</param>
    public async Task EndAsync(Func<Task<IReadOnlyList<NamedStanding>>> standings, TimeSpan patience, TimeProvider time)
    {
        try
        {
            await Task.WhenAll(Task.Run(() => endTraces?.Invoke()), Task.Run(SendFiguresAsync)).WaitAsync(patience, time);
        }
        catch (TimeoutException)
        {
            Fail($"there was no answer within {patience.TotalSeconds:0} s");
        }

        if (trouble is not null)
            say($"telemetry could not be sent: {trouble}");

        async Task SendFiguresAsync()
        {
            if (endMetrics is null)
                return;
            JobFigures.Record((await standings()).Select(s => (s.Name, s.Standing)));
            endMetrics();
        }
    }

    private static bool IsWanted(IReadOnlyDictionary<string, string> environment, string signal) =>
        (Value(environment, Endpoint) ?? Value(environment, $"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT")) is not null && Value(environment, $"OTEL_{signal}_EXPORTER") is null or "otlp";

    private static string? Value(IReadOnlyDictionary<string, string> environment, string name) =>
        environment.GetValueOrDefault(name)?.Trim() is { Length: > 0 } value ? value : null;

    private void SetUp(OtlpExporterOptions options, IReadOnlyDictionary<string, string> environment, string signal)
    {
        // Read the variables here, because the library differs from OpenTelemetry's specification. (1) A variable for one signal, such as
        // OTEL_EXPORTER_OTLP_TRACES_PROTOCOL, takes precedence, but the library reads it only if it sets up all signals together. (2) HTTP
        // is the default, but the library's default is gRPC.
        options.Protocol = (OfSignal("PROTOCOL") ?? Value(environment, "OTEL_EXPORTER_OTLP_PROTOCOL")) == "grpc" ? OtlpExportProtocol.Grpc : OtlpExportProtocol.HttpProtobuf;
        if (OfSignal("ENDPOINT") is { } endpoint)
            options.Endpoint = new Uri(endpoint);
        if (OfSignal("HEADERS") is { } headers)
            options.Headers = headers;
        var timeout = TimeSpan.FromMilliseconds(options.TimeoutMilliseconds);
        options.HttpClientFactory = () => new HttpClient(new Watch(this)) { Timeout = timeout };

        string? OfSignal(string what) => Value(environment, $"OTEL_EXPORTER_OTLP_{signal}_{what}");
    }

    /// <summary>Records only the first failure, because later ones usually have the same cause.</summary>
    private void Fail(string why)
    {
        lock (gate)
            trouble ??= why;
    }

    /// <summary>Observes the outcome of each request, which the library does not report.</summary>
    private sealed class Watch(TelemetryExport export) : DelegatingHandler(new SocketsHttpHandler { AllowAutoRedirect = false, ActivityHeadersPropagator = null })
    {
        protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            try
            {
                return Look(request, base.Send(request, cancellationToken));
            }
            catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
            {
                throw Failed(request, e);
            }
        }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            try
            {
                return Look(request, await base.SendAsync(request, cancellationToken));
            }
            catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
            {
                throw Failed(request, e);
            }
        }

        private HttpResponseMessage Look(HttpRequestMessage request, HttpResponseMessage response)
        {
            if (!response.IsSuccessStatusCode)
                export.Fail($"{Where(request)} answered {(int)response.StatusCode}");
            return response;
        }

        private Exception Failed(HttpRequestMessage request, Exception e)
        {
            export.Fail($"{Where(request)}: {(e is HttpRequestException ? e.Message : "there was no answer in time")}");
            return e;
        }

        /// <summary>The request's host and port, without its path or user part, which may contain secrets.</summary>
        private static string Where(HttpRequestMessage request) => $"{request.RequestUri?.Host}:{request.RequestUri?.Port}";
    }
}
