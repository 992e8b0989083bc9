using System.Security.Cryptography;
using Microsoft.AspNetCore.DataProtection;

namespace Imapsync.Fleet.Submitting;

/// <summary>Encrypts job files and rows for the list and rejects any that were changed there. Only a worker's run decrypts them.</summary>
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

    /// <exception cref="CryptographicException">The key is missing, or the text was changed.</exception>
    public string OpenJob(string text) => job.Unprotect(text);

    /// <exception cref="CryptographicException">The key is missing, or the text was changed.</exception>
    public string OpenCells(string text) => cells.Unprotect(text);
}
