using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Collections.Specialized;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Web;

namespace Imapsync.Tests.Support.OAuth;

/// <summary>
/// A small OAuth 2 authorization server on a loopback port. Grants: device, authorization code with PKCE, refresh with rotation, client
/// credentials, JWT bearer. Tests inspect its tokens and requests, and can make it misbehave. It shares no code with the product.
/// </summary>
public sealed class AuthorizationServer : IDisposable
{
    public const string ClientId = "client-of-the-tests";
    public const string ClientSecret = "s3cret-of-the-client-that-nobody-guesses";
    public const string Scope = "mail.read";

    private readonly HttpListener listener = new();
    private readonly TimeProvider time = TimeProvider.System;
    private readonly Lock gate = new();
    private readonly Dictionary<string, string> refreshTokens = [];
    private readonly Dictionary<string, NameValueCollection> codes = [];
    private readonly ConcurrentDictionary<string, DateTimeOffset> accessTokens = new();
    private readonly ConcurrentQueue<string> secrets = new();
    private readonly ConcurrentQueue<string> grants = new();
    private int devicePolls;

    private AuthorizationServer(int port) => (Port, Url) = (port, $"http://127.0.0.1:{port}");

    public int Port { get; }

    /// <summary>The URL that clients use; it differs from the default if TLS is put in front of the server.</summary>
    public string Url { get; set; }

    /// <summary>The user whose mailbox the tokens give access to.</summary>
    public string User { get; init; } = "alice";

    public TimeSpan TokenLife { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Whether each refresh token is valid only once and is replaced by a new one.</summary>
    public bool Rotates { get; set; } = true;

    /// <summary>The audience of access tokens. The mail server accepts only the default, Outlook's mail service.</summary>
    public string Audience { get; set; } = "https://outlook.office.com";

    public bool RefusesAtMailServer { get; set; }

    /// <summary>How far the server's clock is ahead of the machine's.</summary>
    public TimeSpan ClockAhead { get; set; }

    /// <summary>The scope to return with tokens; null to return none, which means the requested scope.</summary>
    public string? GivenScope { get; set; }

    /// <summary>Whether a person must sign in on the <see cref="SignInPage"/>. If false, every request is granted at once.</summary>
    public bool AsksPerson { get; set; }

    /// <summary>The error codes that answer polls of the device grant, in order, before the token is issued.</summary>
    public string[] DeviceAnswers { get; set; } = ["authorization_pending"];

    /// <summary>The seconds between polls of the device grant, and the seconds for which the code is valid.</summary>
    public (int Interval, int Life) DeviceTimes { get; set; } = (1, 600);

    /// <summary>The public key of the service account that is accepted.</summary>
    public RSA? ServiceAccountKey { get; set; }

    /// <summary>Called when the mail server introspects a token, before the server responds.</summary>
    public Action? OnIntrospect { get; set; }

    /// <summary>Called when a refresh token has been accepted, before the server responds.</summary>
    public Action? OnRefresh { get; set; }

    /// <summary>The grant types of the requests for which a token was issued.</summary>
    public IReadOnlyCollection<string> Grants => grants;

    /// <summary>Everything that must never be shown: tokens, codes and verifiers.</summary>
    public IReadOnlyCollection<string> Secrets => secrets;

    /// <summary>A valid access token.</summary>
    public string AccessToken => accessTokens.Keys.First();

    /// <summary>How often the mail server was told that a token is valid, and how often that it is not.</summary>
    public (int Good, int Bad) Introspections { get; private set; }

    public int Revocations { get; private set; }

    public string? LastUserCode { get; private set; }

    public static AuthorizationServer Start(string user = "alice")
    {
        for (var attempt = 1; ; attempt++)
        {
            var port = LoopbackPorts.Free();
            var server = new AuthorizationServer(port) { User = user };
            server.listener.Prefixes.Add(server.Url + "/");
            try
            {
                server.listener.Start();
            }
            catch (HttpListenerException) when (attempt < 5)
            {
                server.Dispose();
                continue;
            }

            _ = server.ServeAsync();
            return server;
        }
    }

    /// <summary>Ends every sign-in by revoking all refresh tokens.</summary>
    public void RevokeAll()
    {
        lock (gate)
            refreshTokens.Clear();
    }

    /// <summary>Invalidates all access tokens; refresh tokens stay valid.</summary>
    public void ExpireAccessTokens() => accessTokens.Clear();

    public void Dispose() => listener.Close();

    private async Task ServeAsync()
    {
        while (listener.IsListening)
        {
            HttpListenerContext context;
            try
            {
                context = await listener.GetContextAsync();
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                return;
            }

            _ = AnswerAsync(context);
        }
    }

    private async Task AnswerAsync(HttpListenerContext context)
    {
        try
        {
            using var reader = new StreamReader(context.Request.InputStream);
            var form = HttpUtility.ParseQueryString(await reader.ReadToEndAsync());
            var path = context.Request.Url!.AbsolutePath;
            var query = context.Request.Url.Query;
            var isAsked = AsksPerson && path == "/authorize";
            var goesTo = path == "/decide" ? SignInPage.Decide(form, Authorize) : path == "/authorize" && !isAsked ? Authorize(context.Request.QueryString) : null;
            if (goesTo is not null)
            {
                context.Response.Redirect(goesTo);
                context.Response.Close();
                return;
            }

            var page = isAsked ? SignInPage.Write(query) : path == "/decide" ? SignInPage.Write(form["query"]!, "This is not the password.") : null;
            var (status, json) = page is null ? Handle(path, form) : (200, []);
            var octets = Encoding.UTF8.GetBytes(page ?? json.ToJsonString());
            context.Response.StatusCode = status;
            context.Response.ContentType = page is null ? "application/json" : "text/html; charset=utf-8";
            context.Response.Headers["Date"] = Now.ToString("R");
            context.Response.ContentLength64 = octets.Length;
            await context.Response.OutputStream.WriteAsync(octets);
            context.Response.Close();
        }
        catch (Exception e) when (e is HttpListenerException or IOException or ObjectDisposedException)
        {
            // The client has disconnected.
        }
    }

    private DateTimeOffset Now => time.GetUtcNow() + ClockAhead;

    private (int Status, JsonObject Json) Handle(string path, NameValueCollection form)
    {
        lock (gate)
        {
            return path switch
            {
                "/.well-known/openid-configuration" => (200, new JsonObject
                {
                    ["issuer"] = Url,
                    ["token_endpoint"] = Url + "/token",
                    ["authorization_endpoint"] = Url + "/authorize",
                    ["device_authorization_endpoint"] = Url + "/device",
                    ["revocation_endpoint"] = Url + "/revoke",
                    ["jwks_uri"] = Url + "/jwks",
                }),
                "/jwks" => (200, new JsonObject { ["keys"] = new JsonArray() }),
                "/device" => Device(form),
                "/token" => Token(form),
                "/introspect" => Introspect(form["token"]!),
                "/revoke" => Revoke(form["token"]!),
                _ => (404, []),
            };
        }
    }

    private (int Status, JsonObject Json) Device(NameValueCollection form)
    {
        if (form["client_id"] != ClientId)
            return Error("invalid_client");
        devicePolls = 0;
        LastUserCode = "WDJB-MJHT";
        var code = Fresh("device");
        codes[code] = form;
        return (200, new JsonObject
        {
            ["device_code"] = code,
            ["user_code"] = LastUserCode,
            ["verification_uri"] = Url + "/enter",
            ["expires_in"] = DeviceTimes.Life,
            ["interval"] = DeviceTimes.Interval,
        });
    }

    private string Authorize(NameValueCollection query)
    {
        var code = Fresh("code");
        lock (gate)
            codes[code] = query;
        return $"{query["redirect_uri"]}?code={code}&state={Uri.EscapeDataString(query["state"]!)}&iss={Uri.EscapeDataString(Url)}";
    }

    private (int Status, JsonObject Json) Token(NameValueCollection form)
    {
        var grant = form["grant_type"]!.Split(':')[^1];
        switch (grant)
        {
            case "device_code":
                if (!codes.ContainsKey(form["device_code"]!))
                    return Error("expired_token");
                if (devicePolls < DeviceAnswers.Length)
                    return Error(DeviceAnswers[devicePolls++]);
                return Issue(grant, form, isLasting: true);
            case "authorization_code":
                if (!codes.Remove(form["code"]!, out var asked) || asked["redirect_uri"] != form["redirect_uri"] || asked["code_challenge_method"] != "S256"
                    || asked["code_challenge"] != Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(form["code_verifier"] ?? ""))))
                    return Error("invalid_grant");
                secrets.Enqueue(form["code_verifier"]!);
                return Issue(grant, form, isLasting: true);
            case "refresh_token":
                if (form["client_id"] != ClientId)
                    return Error("invalid_client");
                if (!refreshTokens.ContainsKey(form["refresh_token"]!))
                    return Error("invalid_grant", $"the token {form["refresh_token"]} is no more");
                if (Rotates)
                    refreshTokens.Remove(form["refresh_token"]!);
                OnRefresh?.Invoke();
                return Issue(grant, form, isLasting: Rotates);
            case "client_credentials":
                return form["client_secret"] == ClientSecret ? Issue(grant, form, isLasting: false) : Error("invalid_client", $"{form["client_secret"]} is wrong", 401);
            case "jwt-bearer":
                return IsGood(form["assertion"]!) ? Issue(grant, form, isLasting: false) : Error("invalid_grant", "the assertion is not good");
            default:
                return Error("unsupported_grant_type");
        }
    }

    private (int Status, JsonObject Json) Issue(string grant, NameValueCollection form, bool isLasting)
    {
        grants.Enqueue(grant);
        var payload = new JsonObject { ["aud"] = Audience, ["jti"] = Guid.NewGuid().ToString(), ["exp"] = (Now + TokenLife).ToUnixTimeSeconds() };
        var access = $"{Part("""{"alg":"none"}""")}.{Part(payload.ToJsonString())}.{Part(Guid.NewGuid().ToString())}";
        secrets.Enqueue(access);
        accessTokens[access] = time.GetUtcNow() + TokenLife;
        var json = new JsonObject { ["access_token"] = access, ["token_type"] = "Bearer", ["expires_in"] = (int)TokenLife.TotalSeconds };
        if (GivenScope is not null)
            json["scope"] = GivenScope;
        if (isLasting)
        {
            var refresh = Fresh("refresh");
            refreshTokens[refresh] = grant;
            json["refresh_token"] = refresh;
        }

        return (200, json);
    }

    private (int Status, JsonObject Json) Introspect(string token)
    {
        OnIntrospect?.Invoke();
        var isGood = !RefusesAtMailServer && Audience == "https://outlook.office.com" && accessTokens.TryGetValue(token, out var end) && end > time.GetUtcNow();
        Introspections = isGood ? (Introspections.Good + 1, Introspections.Bad) : (Introspections.Good, Introspections.Bad + 1);
        return (200, isGood ? new JsonObject { ["active"] = true, ["username"] = User, ["scope"] = Scope } : new JsonObject { ["active"] = false });
    }

    private (int Status, JsonObject Json) Revoke(string token)
    {
        Revocations++;
        refreshTokens.Remove(token);
        return (200, []);
    }

    /// <summary>Whether an assertion is valid (RFC 7523 §3) by this server's clock.</summary>
    private bool IsGood(string assertion)
    {
        if (assertion.Split('.') is not [var header, var claims, var signature] || ServiceAccountKey is null)
            return false;
        secrets.Enqueue(assertion);
        var json = JsonNode.Parse(Base64Url.DecodeFromChars(claims))!;
        return JsonNode.Parse(Base64Url.DecodeFromChars(header))!["alg"]!.GetValue<string>() == "RS256"
            && ServiceAccountKey.VerifyData(Encoding.ASCII.GetBytes($"{header}.{claims}"), Base64Url.DecodeFromChars(signature), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            && json["aud"]!.GetValue<string>() == Url + "/token"
            && json["sub"]!.GetValue<string>() == User
            && Math.Abs(json["iat"]!.GetValue<long>() - Now.ToUnixTimeSeconds()) < 60;
    }

    private string Fresh(string kind)
    {
        var text = $"{kind}-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16))}";
        secrets.Enqueue(text);
        return text;
    }

    private static string Part(string text) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text));

    private static (int Status, JsonObject Json) Error(string code, string? text = null, int status = 400)
    {
        var json = new JsonObject { ["error"] = code };
        if (text is not null)
            json["error_description"] = text;
        return (status, json);
    }
}
