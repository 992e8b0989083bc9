using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Configuration.Secrets;

/// <summary>Asks a person for a secret.</summary>
/// <param name="question">The question, for example <c>Password for imaps://alice@imap.example.com:993</c>.</param>
public delegate ValueTask<Secret> SecretPrompt(string question, CancellationToken cancellationToken);
