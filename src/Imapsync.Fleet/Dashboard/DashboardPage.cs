using Imapsync.Fleet.Listing;
using Imapsync.Fleet.Serving;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.Filters;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Imapsync.Fleet.Dashboard;

/// <summary>A page for people who have signed in. A POST to it requires the role operate.</summary>
public abstract class DashboardPage : PageModel
{
    public bool MayOperate => User.IsInRole(nameof(Role.Operate));

    /// <summary>A sentence about the action just done; the next page shows it once.</summary>
    [TempData]
    public string? Said { get; set; }

    public override void OnPageHandlerExecuting(PageHandlerExecutingContext context)
    {
        if (!HttpMethods.IsGet(Request.Method) && !HttpMethods.IsHead(Request.Method) && !MayOperate)
            context.Result = new StatusCodeResult(StatusCodes.Status403Forbidden);
    }

    private protected static string Sentence(AccountAction action, int accounts) => action switch
    {
        AccountAction.Pause => $"{Words.Accounts(accounts)} paused; those at work finish what is in hand first.",
        AccountAction.Resume => $"{Words.Accounts(accounts)} resumed.",
        AccountAction.Cancel => $"{Words.Accounts(accounts)} cancelled; those at work finish what is in hand first.",
        _ => $"{Words.Accounts(accounts)} will run again.",
    };
}
