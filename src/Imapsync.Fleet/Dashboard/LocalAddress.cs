using Microsoft.AspNetCore.Http.HttpResults;

namespace Imapsync.Fleet.Dashboard;

/// <summary>An address to go on to that came from outside.</summary>
internal static class LocalAddress
{
    /// <summary>Returns the address where it is a path of this server; else the first page.</summary>
    public static string Of(string? address) => RedirectHttpResult.IsLocalUrl(address) ? address : "/";
}
