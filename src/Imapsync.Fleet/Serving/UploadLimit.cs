using Microsoft.AspNetCore.Http.Features;

namespace Imapsync.Fleet.Serving;

/// <summary>
/// Refuses requests that are too large or malformed, and logs one line instead of a stack trace. If Content-Length is too large, or missing
/// in an upload, the request is refused before any of it is read.
/// </summary>
internal sealed class UploadLimit(RequestDelegate next, ILogger<UploadLimit> log)
{
    public async Task InvokeAsync(HttpContext context)
    {
        // Routing has set the limit of the endpoint.
        var limit = context.Features.Get<IHttpMaxRequestBodySizeFeature>()?.MaxRequestBodySize ?? Api.LargestRequest;
        if (context.Request.ContentLength > limit)
        {
            Refuse(context, StatusCodes.Status413PayloadTooLarge, $"{context.Request.ContentLength} octets were announced, and {limit} are taken");
            return;
        }

        // A form without a Content-Length is refused; browsers always send one. GET is exempt, because a refused request becomes a GET of
        // the error page.
        var isUpload = limit > Api.LargestRequest || !context.Request.Path.StartsWithSegments("/api", StringComparison.OrdinalIgnoreCase);
        if (isUpload && !HttpMethods.IsGet(context.Request.Method) && context.Request.ContentLength is null && context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody == true)
        {
            Refuse(context, StatusCodes.Status411LengthRequired, "a form has to announce its size");
            return;
        }

        try
        {
            await next(context);
        }
        catch (BadHttpRequestException e) when (!context.Response.HasStarted)
        {
            Refuse(context, e.StatusCode, e.Message);
        }
        catch (InvalidDataException e) when (!context.Response.HasStarted && context.Request.HasFormContentType)
        {
            Refuse(context, StatusCodes.Status400BadRequest, e.Message);
        }
    }

    private void Refuse(HttpContext context, int status, string why)
    {
        log.LogWarning("{Method} {Path} was refused with status {Status}: {Why}", context.Request.Method, context.Request.Path, status, why);
        context.Response.StatusCode = status;
        // The rest of the request is not read, so this connection can't carry another request. As a GET without a content type, the request
        // does not make the error page read the form.
        context.Response.Headers.Connection = "close";
        context.Request.Method = HttpMethods.Get;
        context.Request.ContentType = null;
        context.Request.ContentLength = null;
    }
}
