namespace Imapsync.Engine.SigningIn;

/// <summary>How the program communicates with the person who signs in.</summary>
/// <param name="Tell">Shows a line of text.</param>
/// <param name="OpenBrowser">Opens a URL in the browser; null when no browser should be opened.</param>
public sealed record SignInDialogue(Action<string> Tell, Action<Uri>? OpenBrowser = null);
