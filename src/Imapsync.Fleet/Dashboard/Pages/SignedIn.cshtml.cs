using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Imapsync.Fleet.Dashboard;

/// <summary>
/// A page that leads on to another page of this server. After a redirect from another site the browser sends no session cookie, but requests from
/// this page carry it.
/// </summary>
internal sealed class SignedInModel : PageModel
{
    public string Back { get; private set; } = "/";

    public void OnGet(string? back) => Back = LocalAddress.Of(back);
}
