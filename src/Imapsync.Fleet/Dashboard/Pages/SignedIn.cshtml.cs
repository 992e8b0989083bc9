using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Imapsync.Fleet.Dashboard;

/// <summary>
/// A page that leads on to another page of this server. The browser sends no session cookie after a redirect from another site, but sends
/// it from this page.
/// </summary>
internal sealed class SignedInModel : PageModel
{
    public string Back { get; private set; } = "/";

    public void OnGet(string? back) => Back = LocalAddress.Of(back);
}
