using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Imapsync.Servers.Tests.Crash.States;

/// <summary>Reads strace's record of a run, one file per thread. Returns the operations below one directory in order of time.</summary>
internal sealed partial class FileRecord
{
    private const string Calls =
        "open,openat,creat,write,pwrite64,pwritev,ftruncate,rename,renameat,renameat2,link,linkat,unlink,unlinkat,mkdir,mkdirat,rmdir,"
        + "fsync,fdatasync,syncfs,utimensat,truncate,symlink,symlinkat,copy_file_range,sendfile,fallocate,writev,mmap";

    private readonly string root;
    private readonly Dictionary<string, string> nameless = [];

    private FileRecord(string root) => this.root = root;

    /// <summary>
    /// Returns the command that runs a program under strace, with record files that begin with <paramref name="prefix"/>. Strings are
    /// recorded in hex, so that no octet is ambiguous.
    /// </summary>
    public static string[] Recorder(string prefix) =>
        ["strace", "-ff", "-qq", "-y", "-xx", "-s", "100000000", "--absolute-timestamps=format:unix,precision:ns", "-T", "-e", "trace=" + Calls, "-e", "signal=none", "-o", prefix];

    public static IReadOnlyList<FileOperation> Read(string prefix, string root)
    {
        var record = new FileRecord(root);
        var calls = Directory.EnumerateFiles(Path.GetDirectoryName(prefix)!, Path.GetFileName(prefix) + ".*")
            .SelectMany(File.ReadLines)
            .Select(l => Line().Match(l))
            .Where(m => m.Success && !m.Groups["result"].Value.StartsWith('-'))
            .Select(m => (Match: m, Begin: Nanoseconds(m.Groups["begin"].Value), End: Nanoseconds(m.Groups["begin"].Value) + Nanoseconds(m.Groups["took"].Value)))
            .OrderBy(c => c.End)
            .ToList();
        return [.. calls.Select(c => record.Operation(c.Match, c.Begin, c.End)).OfType<FileOperation>()];
    }

    private FileOperation? Operation(Match line, long begin, long end)
    {
        var (call, arguments, result) = (line.Groups["call"].Value, line.Groups["arguments"].Value, line.Groups["result"].Value);
        var texts = Quoted().Matches(arguments).Select(m => Octets(m.Groups[1].Value)).ToList();
        var opened = Opened().Match(arguments) is { Success: true } match ? Text(match.Groups[1].Value) + match.Groups[2].Value : "";
        FileOperation? Make(FileOperationKind kind, string path, string newPath = "", long offset = 0, byte[]? data = null, DateTimeOffset time = default) =>
            IsInside(path) || IsInside(newPath) ? new FileOperation(kind, path, begin, end, newPath, offset, data, time) : null;
        string Name(int index) => Encoding.UTF8.GetString(texts[index]);
        switch (call)
        {
            case "open" or "openat" or "creat":
                if (arguments.Contains("O_TMPFILE", StringComparison.Ordinal))
                {
                    var handle = Opened().Match(result);
                    var path = Text(handle.Groups[1].Value) + handle.Groups[2].Value;
                    nameless[result[..result.IndexOf('<', StringComparison.Ordinal)]] = path;
                    return Make(FileOperationKind.CreateNameless, path);
                }

                return arguments.Contains("O_TRUNC", StringComparison.Ordinal) || call == "creat" ? Make(FileOperationKind.Create, Name(0), offset: 1)
                    : arguments.Contains("O_CREAT", StringComparison.Ordinal) ? Make(FileOperationKind.Create, Name(0))
                    : null;
            case "write":
                return Make(FileOperationKind.Write, opened, offset: -1, data: texts.Count > 0 ? Written(texts[0], result) : []);
            case "pwrite64":
                return Make(FileOperationKind.Write, opened, offset: LastNumber(arguments), data: texts.Count > 0 ? Written(texts[0], result) : []);
            case "pwritev":
                return Make(FileOperationKind.Write, opened, offset: LastNumber(arguments), data: Written([.. texts.SelectMany(t => t)], result));
            case "ftruncate":
                return Make(FileOperationKind.Truncate, opened, offset: LastNumber(arguments));
            case "rename" or "renameat" or "renameat2":
                return Make(FileOperationKind.Rename, Name(0), Name(1));
            case "link" or "linkat":
                var linked = Name(0);
                return Make(FileOperationKind.Link, linked.StartsWith("/proc/self/fd/", StringComparison.Ordinal) ? nameless[linked[14..]] : linked, Name(1));
            case "unlink" or "unlinkat" or "rmdir":
                return Make(FileOperationKind.Remove, Name(0));
            case "mkdir" or "mkdirat":
                return Make(FileOperationKind.MakeDirectory, Name(0));
            case "fsync" or "fdatasync":
                return Make(FileOperationKind.Sync, opened);
            case "syncfs":
                return Make(FileOperationKind.SyncAll, opened);
            case "utimensat":
                var seconds = Seconds().Matches(arguments)[^1];
                return Make(FileOperationKind.SetTime, texts.Count > 0 ? Name(0) : opened, time: DateTimeOffset.FromUnixTimeSeconds(long.Parse(seconds.Groups[1].Value, CultureInfo.InvariantCulture)));
            default:
                // Fail if a system call unknown to the model names a modelled file. Ignore mmap unless it is shared and writable, because
                // no other mapping changes the file.
                if (call is "mmap" && !(arguments.Contains("PROT_WRITE", StringComparison.Ordinal) && arguments.Contains("MAP_SHARED", StringComparison.Ordinal)))
                    return null;
                return IsInside(opened) || texts.Any(t => IsInside(Encoding.UTF8.GetString(t))) ? throw new NotSupportedException($"{call} is not modelled: {arguments}") : null;
        }
    }

    private bool IsInside(string path) => path.StartsWith(root, StringComparison.Ordinal);

    private static byte[] Written(byte[] octets, string result) => octets[..int.Parse(result, CultureInfo.InvariantCulture)];

    private static long LastNumber(string arguments) => long.Parse(arguments.AsSpan(arguments.LastIndexOf(' ') + 1), CultureInfo.InvariantCulture);

    private static long Nanoseconds(string seconds) => (long)(decimal.Parse(seconds, CultureInfo.InvariantCulture) * 1_000_000_000);

    private static string Text(string hex) => Encoding.UTF8.GetString(Octets(hex));

    private static byte[] Octets(string hex) => Convert.FromHexString(hex.Replace("\\x", "", StringComparison.Ordinal));

    [GeneratedRegex(@"^(?<begin>\d+\.\d+) (?<call>\w+)\((?<arguments>.*)\)\s+= (?<result>\S+)[^<]*(?: <(?<took>\d+\.\d+)>)$", RegexOptions.ExplicitCapture)]
    private static partial Regex Line();

    [GeneratedRegex(@"""((?:\\x[0-9a-f]{2})*)""")]
    private static partial Regex Quoted();

    [GeneratedRegex(@"^\d+<((?:\\x[0-9a-f]{2})+)>(\(deleted\))?")]
    private static partial Regex Opened();

    [GeneratedRegex(@"tv_sec=(-?\d+)")]
    private static partial Regex Seconds();
}
