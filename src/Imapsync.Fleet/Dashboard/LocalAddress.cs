using Microsoft.AspNetCore.Http.HttpResults;

namespace Imapsync.Fleet.Dashboard;

/// <summary>Checks an address to redirect to. It came from outside, so it could lead to another site.</summary>
internal static class LocalAddress
{
    /// <summary>Returns the address if it is a path of this server; otherwise the first page.</summary>
    public static string Of(string? address) => RedirectHttpResult.IsLocalUrl(address) ? address : "/";
}
