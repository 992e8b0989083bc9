using System.Text;

namespace Imapsync.Tests.Support;

/// <summary>Modified UTF-7 (RFC 3501 §5.1.3), without the product's code, so that a mistake there is noticed.</summary>
public static class ModifiedUtf7
{
    public static string Encode(string name)
    {
        var text = new StringBuilder();
        for (var i = 0; i < name.Length;)
        {
            if (name[i] is >= ' ' and <= '~')
            {
                text.Append(name[i] == '&' ? "&-" : name[i].ToString());
                i++;
                continue;
            }

            var start = i;
            while (i < name.Length && name[i] is < ' ' or > '~')
                i++;
            var base64 = Convert.ToBase64String(Encoding.BigEndianUnicode.GetBytes(name[start..i]));
            text.Append('&').Append(base64.TrimEnd('=').Replace('/', ',')).Append('-');
        }

        return text.ToString();
    }

    public static string Decode(string wire)
    {
        var text = new StringBuilder();
        for (var i = 0; i < wire.Length; i++)
        {
            if (wire[i] != '&')
            {
                text.Append(wire[i]);
                continue;
            }

            var end = wire.IndexOf('-', i);
            var base64 = wire[(i + 1)..end].Replace(',', '/');
            text.Append(base64.Length == 0
                ? "&"
                : Encoding.BigEndianUnicode.GetString(Convert.FromBase64String(base64.PadRight((base64.Length + 3) / 4 * 4, '='))));
            i = end;
        }

        return text.ToString();
    }
}
