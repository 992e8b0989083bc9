namespace Imapsync.Engine.SigningIn;

/// <summary>How whoever signs in is spoken to.</summary>
/// <param name="Tell">Shows a line.</param>
/// <param name="OpenBrowser">Opens an address; null where nobody asked for that.</param>
public sealed record SignInDialogue(Action<string> Tell, Action<Uri>? OpenBrowser = null);
