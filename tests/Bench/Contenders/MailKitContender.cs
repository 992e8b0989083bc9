using System.Globalization;

namespace Imapsync.Bench.Contenders;

/// <summary>A program that uses MailKit's public interface (<see cref="MailKitProgram"/>), run as a separate process.</summary>
/// <param name="isBatched">Whether to use the fastest variant instead of the usual loop.</param>
internal sealed class MailKitContender(string directory, bool isBatched) : IContender
{
    public string Name => isBatched ? "mailkit" : "mailkit-loop";

    public bool Can(Transfer transfer) => transfer is { Source: AccountPlace { IsTls: false }, Target: MaildirPlace or AccountPlace { IsTls: false } };

    public Task<Measurement> RunAsync(IReadOnlyList<Transfer> transfers)
    {
        var (source, target) = ((AccountPlace)transfers.Single().Source, transfers[0].Target);
        return Measurement.OfProcessAsync(
            directory,
            Environment.ProcessPath!,
            [typeof(MailKitContender).Assembly.Location, "mailkit-program", isBatched ? "batched" : "loop", .. Account(source), .. target is MaildirPlace files ? [files.Directory] : Account((AccountPlace)target)]);
    }

    private static string[] Account(AccountPlace place) => [place.Port.ToString(CultureInfo.InvariantCulture), place.User, place.Password];
}
