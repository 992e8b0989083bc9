using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Imapsync.Imap.Connection;

/// <summary>Describes a certificate for people. The texts in it are untrusted, so they are shortened and never cause a failure.</summary>
internal static class CertificateText
{
    private const int MostNames = 5;
    private const int MostLetters = 100;

    /// <summary>
    /// The names a certificate is for, in the form <c>, for mail.example.com, imap.example.com</c>; empty if it has none.
    /// </summary>
    public static string Names(X509Certificate certificate)
    {
        try
        {
            using var whole = new X509Certificate2(certificate);
            var names = whole.Extensions.OfType<X509SubjectAlternativeNameExtension>()
                .SelectMany(e => e.EnumerateDnsNames().Concat(e.EnumerateIPAddresses().Select(a => a.ToString())))
                .Take(MostNames + 1).Select(n => n.Length <= MostLetters ? n : n[..MostLetters] + "…").ToList();
            var more = names.Count > MostNames ? " and others" : "";
            return names.Count == 0 ? "" : $", for {string.Join(", ", names.Take(MostNames))}{more}";
        }
        catch (CryptographicException)
        {
            return "";
        }
    }

    /// <summary>
    /// The validity dates of the first certificate in the chain that is not valid now, in the form
    /// <c> (it is valid from 2020-01-01 to 2021-01-01)</c>; empty if all are valid.
    /// </summary>
    public static string Dates(X509Chain chain)
    {
        var stale = chain.ChainElements.FirstOrDefault(e => e.ChainElementStatus.Any(s => s.Status.HasFlag(X509ChainStatusFlags.NotTimeValid)))?.Certificate;
        return stale is null
            ? ""
            : string.Create(CultureInfo.InvariantCulture, $" (it is valid from {stale.NotBefore:yyyy-MM-dd} to {stale.NotAfter:yyyy-MM-dd})");
    }
}
