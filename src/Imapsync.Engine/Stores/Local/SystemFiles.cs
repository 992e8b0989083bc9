namespace Imapsync.Engine.Stores.Local;

/// <summary>Files that systems put into any directory, and that hold nothing of a person's.</summary>
internal static class SystemFiles
{
    public static bool Has(string name) => name is ".DS_Store" or "Thumbs.db" or "desktop.ini" or ".nomedia";
}
