using System.Runtime.InteropServices;

namespace Imapsync.Engine.Files;

// This part writes a small file in as few system calls as possible, since a first copy creates one file for each message.
internal static partial class Posix
{
    private const int EINTR = 4;

    /// <summary>
    /// Creates a file with mode 0600, these contents and this date; fails if the name exists. The file is not synced. .NET's file handles
    /// are not used, because opening one examines the file twice more.
    /// </summary>
    /// <param name="date">The time of its last modification; default for now.</param>
    public static void WriteNew(string path, ReadOnlySpan<byte> contents, DateTimeOffset date)
    {
        if (!OperatingSystem.IsLinux() || !Environment.Is64BitProcess)
        {
            using var file = CreateNew(path);
            Write(file, path, contents, 0);
            if (date != default)
                File.SetLastWriteTimeUtc(file, date.UtcDateTime);
            return;
        }

        var descriptor = Open(path, NewForWriting, OwnerOnly);
        if (descriptor < 0)
            throw Failure("open", path);
        try
        {
            while (!contents.IsEmpty)
            {
                var count = WriteSome(descriptor, ref MemoryMarshal.GetReference(contents), (nuint)contents.Length);
                if (count < 0 && Marshal.GetLastPInvokeError() != EINTR)
                    throw Failure("write", path);
                contents = contents[(int)Math.Max(0, count)..];
            }

            if (date != default)
                SetDate(descriptor, path, date);
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    private static void SetDate(int descriptor, string path, DateTimeOffset date)
    {
        const long Omit = (1 << 30) - 2;
        var (seconds, ticks) = Math.DivRem(date.UtcTicks - DateTimeOffset.UnixEpoch.Ticks, TimeSpan.TicksPerSecond);
        if (ticks < 0)
            (seconds, ticks) = (seconds - 1, ticks + TimeSpan.TicksPerSecond);

        // The first pair of numbers is the time of last access, which stays unchanged, the second the time of last modification.
        Span<long> times = [0, Omit, seconds, ticks * TimeSpan.NanosecondsPerTick];
        if (SetTimes(descriptor, ref MemoryMarshal.GetReference(times)) != 0)
            throw Failure("futimens", path);
    }

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint WriteSome(int descriptor, ref byte octets, nuint count);

    [LibraryImport("libc", EntryPoint = "futimens", SetLastError = true)]
    private static partial int SetTimes(int descriptor, ref long times);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
