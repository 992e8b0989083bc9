using System.Collections.Immutable;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Stores.Maildir;

/// <summary>Maildir trees: <c>maildir:PATH</c>.</summary>
internal sealed class MaildirKind : TargetKind<MaildirEndpoint>
{
    public override ImmutableArray<string> Schemes { get; } = ["maildir"];

    public override ImmutableArray<string> UrlForms { get; } = ["maildir:PATH"];

    public override ImmutableArray<StoreSetting> Settings { get; } =
        [new("layout", "How folders lie in a Maildir: maildir++ or fs (nested directories).", ["maildir++", "fs"])];

    public override Endpoint? Read(IEndpointSettings settings) => settings.ReadPath() is { } directory
        ? new MaildirEndpoint(directory, settings.Choice("layout", ("maildir++", MaildirLayout.MaildirPlusPlus), ("fs", MaildirLayout.Fs)))
        : null;

    protected override Task<ITargetStore> OpenTargetAsync(MaildirEndpoint endpoint, bool forWriting, StoreContext context, CancellationToken cancellationToken) =>
        MaildirStore.OpenAsync(endpoint, forWriting, context, cancellationToken);
}
