using Imapsync.Engine.Mail;

namespace Imapsync.Servers.Tests;

/// <summary>A password that the test supplies itself.</summary>
internal sealed class KnownSecret(string password) : SecretReference
{
    public override ValueTask<Secret> ReadAsync(CancellationToken cancellationToken) => ValueTask.FromResult(new Secret(password));

    public override string ToString() => "the test";
}
