using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Imapsync.Fleet.Dashboard;

/// <summary>Goes on by itself after another site has sent the browser here: what this page asks for carries the session's cookie.</summary>
internal sealed class SignedInModel : PageModel
{
    public string Back { get; private set; } = "/";

    public void OnGet(string? back) => Back = LocalAddress.Of(back);
}
