namespace Imapsync.Engine.Files;

/// <summary>The names that Windows reserves for devices. A file with such a name can't be opened on Windows.</summary>
public static class WindowsNames
{
    private static readonly string[] Devices =
        ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", .. from device in (string[])["COM", "LPT"] from number in "0123456789\u00b9\u00b2\u00b3" select device + number];

    /// <summary>Returns true for the name of a device, with or without a suffix.</summary>
    public static bool IsDevice(string name) => Devices.Contains(name.Split('.', 2)[0].TrimEnd(' '), StringComparer.OrdinalIgnoreCase);
}
