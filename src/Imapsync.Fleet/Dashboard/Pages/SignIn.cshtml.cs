using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Imapsync.Fleet.Dashboard;

internal sealed class SignInModel(Session session, WrongTokens wrong) : PageModel
{
    [BindProperty(SupportsGet = true)]
    public string? Back { get; set; }

    public string? Refusal { get; private set; }

    /// <summary>The provider by which people may sign in as well; null for none.</summary>
    public OidcSettings? Provider => session.Provider;

    /// <param name="refused">A word for the reason why a sign-in by the provider failed; null if there was none.</param>
    public void OnGet(string? refused) => Refusal = Provider is { } provider ? Oidc.RefusalOf(refused, provider) : null;

    public async Task<IActionResult> OnPostAsync(string? token, CancellationToken cancellationToken)
    {
        if (session.Open((token ?? "").Trim()) is { } user)
        {
            await HttpContext.SignInAsync(Session.SchemeName, user);
            return LocalRedirect(LocalAddress.Of(Back));
        }

        var isAnswered = await wrong.WaitAsync(cancellationToken);
        Response.StatusCode = isAnswered ? StatusCodes.Status401Unauthorized : StatusCodes.Status429TooManyRequests;
        Refusal = isAnswered ? "No user has this token." : "Too many wrong tokens at once. Try again in a minute.";
        return Page();
    }
}
