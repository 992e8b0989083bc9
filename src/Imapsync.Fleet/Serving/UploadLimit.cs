namespace Imapsync.Fleet.Serving;

/// <summary>Refuses requests that are too large or malformed, and logs one line instead of a stack trace.</summary>
internal sealed class UploadLimit(RequestDelegate next, ILogger<UploadLimit> log)
{
    public async Task InvokeAsync(HttpContext context)
    {
        if (context.Request.ContentLength > Api.LargestUpload)
        {
            Refuse(context, StatusCodes.Status413PayloadTooLarge, $"{context.Request.ContentLength} octets were announced, and {Api.LargestUpload} are taken");
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
        // The rest of the request is not read, so this connection can carry no further request. The page about the error must not try to read the form.
        context.Response.Headers.Connection = "close";
        context.Request.Method = HttpMethods.Get;
        context.Request.ContentType = null;
        context.Request.ContentLength = null;
    }
}
