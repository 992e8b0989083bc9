namespace Imapsync.Engine.Jobs;

/// <summary>Options for a verification.</summary>
/// <param name="Full">Whether to compare every octet on both sides; otherwise only listings and headers are compared.</param>
/// <param name="Offline">Whether to compare the target with the records made when it was written, without opening the source.</param>
/// <param name="Share">
/// The share of each folder's contents that this run reads: above 0, at most 1. The next run reads another part, so all of it is read in 1
/// / Share runs. Listings (missing and extra messages, flags, dates) are always compared completely.
/// </param>
public sealed record VerifyOptions(bool Full = false, bool Offline = false, double Share = 1);
