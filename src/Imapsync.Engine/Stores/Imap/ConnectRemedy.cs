using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Imap;

/// <summary>What may be done about a connection that can't be had, in the words of the job file. Pure.</summary>
internal static class ConnectRemedy
{
    /// <summary>Begins with a semicolon; empty where there is nothing to say.</summary>
    /// <param name="scheme">That of the URL without TLS from the start.</param>
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
