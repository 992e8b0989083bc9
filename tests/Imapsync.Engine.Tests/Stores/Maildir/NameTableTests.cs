using Imapsync.Engine.Stores.Local;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Stores.Maildir;

/// <summary>The compact table of names compared with a plain dictionary, for names of all kinds.</summary>
public sealed class NameTableTests
{
    [Fact]
    public void It_holds_what_a_dictionary_holds()
    {
        var seed = Seeds.Next();
        var random = new Random(seed);
        for (var round = 0; round < 20; round++)
        {
            var (table, plain) = (new NameTable(), new Dictionary<string, uint>());
            for (var n = 0; n < 3000; n++)
            {
                var name = Name(random);
                Assert.True(table.TryGetUid(name, out var uid) == plain.TryGetValue(name, out var expected) && uid == expected, $"seed {seed}, round {round}: {name}");
                if (random.Next(3) == 0)
                    continue;
                var given = (uint)random.Next(1, int.MaxValue);
                table.Set(name, given);
                plain[name] = given;
            }

            Assert.Equal(plain.Count, table.Count);
            Assert.Equal(plain.OrderBy(p => p.Key, StringComparer.Ordinal), Enumerable.Range(0, table.Count).Select(s => KeyValuePair.Create(table.NameAt(s), table.UidAt(s))).OrderBy(p => p.Key, StringComparer.Ordinal));
            Assert.Equal(plain.Keys.Where(k => k.Contains('/')).Order(StringComparer.Ordinal), table.WithSlash.Order(StringComparer.Ordinal));
            Assert.All(plain, p => Assert.True(table.TryFind(p.Key, out var slot) && table.UidAt(slot) == p.Value, $"seed {seed}, round {round}: {p.Key}"));
        }
    }

    private static string Name(Random random) => random.Next(8) switch
    {
        0 => $"{random.Next(200)}.M{random.Next(9)}P1.h",
        1 => $"{random.Next(200):d5}.h",
        2 => Convert.ToHexString([(byte)random.Next(256), (byte)random.Next(256), (byte)random.Next(4)]),
        3 => new string((char)('0' + random.Next(3)), random.Next(1, 40)),
        4 => $"{random.Next(50)}.h/{random.Next(9)}",
        5 => new string('a', random.Next(1, 4)) + new string('9', random.Next(17, 21)),
        6 => $"é{random.Next(20)}ü{random.Next(3)}\u20ac",
        _ => random.Next(4) == 0 ? new string('x', random.Next(500, 600)) + random.Next(9) : $"{random.Next(100)}.{random.Next(3)}.{(char)('a' + random.Next(26))}\n",
    };
}
