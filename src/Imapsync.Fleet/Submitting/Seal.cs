using System.Globalization;
using System.Security.Cryptography;
using Microsoft.AspNetCore.DataProtection;

namespace Imapsync.Fleet.Submitting;

/// <summary>Encrypts the job files, rows and sign-ins that the database stores. Decryption fails if the stored text was changed.</summary>
internal sealed class Seal(IDataProtectionProvider provider)
{
    private readonly IDataProtector job = provider.CreateProtector("imapsync-fleet", "job");
    private readonly IDataProtector cells = provider.CreateProtector("imapsync-fleet", "cells");

    /// <param name="directory">
    /// The directory of the keys. Whoever has the keys and the list can read the passwords. All processes of a fleet need the same keys.
    /// </param>
    public static Seal Open(string directory) => new(DataProtectionProvider.Create(new DirectoryInfo(directory), b => b.SetApplicationName("imapsync-fleet")));

    public string CloseJob(string text) => job.Protect(text);

    public string CloseCells(string text) => cells.Protect(text);

    /// <summary>
    /// Encrypts a refresh token so that it can be decrypted only for this side of this account and for the same OAuth client.
    /// </summary>
    public string CloseSignIn(long account, string side, string binding, string refreshToken) => SignInProtector(account, side, binding).Protect(refreshToken);

    /// <exception cref="CryptographicException">The key is missing, or the text was changed or belongs to another account.</exception>
    public string OpenSignIn(long account, string side, string binding, string text) => SignInProtector(account, side, binding).Unprotect(text);

    /// <exception cref="CryptographicException">The key is missing, or the text was changed.</exception>
    public string OpenJob(string text) => job.Unprotect(text);

    /// <exception cref="CryptographicException">The key is missing, or the text was changed.</exception>
    public string OpenCells(string text) => cells.Unprotect(text);

    private IDataProtector SignInProtector(long account, string side, string binding) =>
        provider.CreateProtector("imapsync-fleet", "sign-in", account.ToString(CultureInfo.InvariantCulture), side, binding);
}
