namespace Imapsync.Engine.Jobs;

/// <param name="Full">Read every octet on both sides; without it, what the listings and the headers say has to do.</param>
/// <param name="Offline">Without the source: hold the target against what was recorded when it was made.</param>
/// <param name="Share">
/// How much of each folder's contents this run reads: above 0, at most 1. The next run reads another part, so that
/// 1 / Share runs have read all. What the listings tell (missing, extra, flags, dates) is looked at whole each time.
/// </param>
public sealed record VerifyOptions(bool Full = false, bool Offline = false, double Share = 1);
