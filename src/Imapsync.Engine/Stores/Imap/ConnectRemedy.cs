using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Imap;

/// <summary>Suggests, in the terms of the job file, what to change when a connection can't be made. Pure.</summary>
internal static class ConnectRemedy
{
    /// <summary>Returns a suggestion that begins with a semicolon, or an empty string where there is none.</summary>
    /// <param name="scheme">The URL scheme for connections that are not TLS from the first octet.</param>
    public static string For(ImapConnectionException failure, string scheme) => failure switch
    {
        { SpeaksInstead: ImapTls.Implicit } => $"; write {scheme}s:// in place of {scheme}:// for this port",
        { SpeaksInstead: not null } => $"; write {scheme}:// in place of {scheme}s:// for this port, where TLS is started after the greeting",
        { Certificate: { } shown } => $"; {Cure(shown)}",
        _ => "",
    };

    private static string Cure(RefusedCertificate shown)
    {
        var pin = $"'tls_fingerprint: {shown.Fingerprint}'";
        return shown switch
        {
            { IsUnknown: true, IsForOtherName: false, IsOutOfDate: false } =>
                $"once you know that it is the server's, {pin} trusts this one certificate ('tls_ca_file' names an authority to trust)",
            { IsOutOfDate: true, IsForOtherName: false } => $"its owner has to renew it; until then {pin} takes this one as it is, if you know that it is the server's",
            { IsForOtherName: true } => $"write a name that it was made for in the URL; or, if you know that it is the server's, {pin}",
            _ => $"a renewed certificate has another one: if you know that it is the server's, {pin}",
        };
    }
}
