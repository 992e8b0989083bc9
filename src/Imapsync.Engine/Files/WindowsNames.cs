namespace Imapsync.Engine.Files;

/// <summary>What Windows has made of names, and file systems that are carried there with it.</summary>
public static class WindowsNames
{
    private static readonly string[] Devices =
        ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", .. from device in (string[])["COM", "LPT"] from number in "0123456789\u00b9\u00b2\u00b3" select device + number];

    /// <summary>True for the name of a device, whatever suffix it has.</summary>
    public static bool IsDevice(string name) => Devices.Contains(name.Split('.', 2)[0].TrimEnd(' '), StringComparer.OrdinalIgnoreCase);
}
