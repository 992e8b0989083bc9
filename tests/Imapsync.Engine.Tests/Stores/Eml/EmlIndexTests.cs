using System.Text;
using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Eml;
using Imapsync.Engine.Tests.Contracts;
using Imapsync.Imap;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Stores.Eml;

/// <summary>The index of a folder of .eml files, compared with a model of what was written to it.</summary>
public sealed class EmlIndexTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    private string IndexFile => Path.Combine(directory.Path, EmlIndex.FileName);

    public void Dispose() => directory.Dispose();

    [Fact]
    public void Whatever_is_written_and_whenever_it_is_written_anew_it_is_read_as_it_was()
    {
        var seed = Seeds.Next();
        var random = new Random(seed);
        for (var round = 0; round < 20; round++)
        {
            var model = new Model();
            File.Delete(IndexFile);
            var index = Opened();
            index.Create();
            var validity = index.Validity;
            for (var step = 0; step < 25; step++)
            {
                var what = model.Step(index, random);
                if (random.Next(2) == 0)
                {
                    index = Opened();
                    index.Keep(at => !model.Missing.Contains(index[at].Uid.Value));
                    what += ", opened again";
                }

                var where = $"seed {seed}, round {round}, step {step}: {what}";
                Assert.True(!index.IsDamaged && index.Validity == validity, where);
                Assert.Equal((where, model.Text()), (where, Text(index)));
            }
        }
    }

    [Fact]
    public void An_index_whose_last_write_was_cut_short_has_all_lines_before_and_goes_on_after_them()
    {
        var ends = WriteLines();
        var whole = File.ReadAllBytes(IndexFile);
        for (var length = ends[0].End; length <= whole.Length; length++)
        {
            var (_, text) = ends.Last(e => e.End <= length);
            // After a power cut, octets that the file system had not written yet may read as NUL.
            foreach (var tail in new[] { Array.Empty<byte>(), new byte[37] })
            {
                if (tail.Length > 0 && whole.AsSpan(0, length)[^1] == '\n' && length != whole.Length)
                    continue;
                File.WriteAllBytes(IndexFile, [.. whole.AsSpan(0, length), .. tail]);
                var index = Opened();
                Assert.False(index.IsDamaged, $"{length} of {whole.Length} octets");
                Assert.Equal(text, Text(index));
                var lines = index.Begin();
                lines.AddFlags(new Uid(1), FlagSet.Parse(["after"]));
                index.Append(lines);
                var again = Opened();
                Assert.False(again.IsDamaged);
                Assert.Equal(Text(index), Text(again));
            }
        }
    }

    [Fact]
    public void One_wrong_bit_anywhere_is_damage_and_costs_the_messages_of_its_line_alone()
    {
        var ends = WriteLines();
        var whole = File.ReadAllBytes(IndexFile);
        var expected = ends[^1].Text.Split('\n');
        for (var bit = 0; bit < whole.Length * 8; bit++)
        {
            var damaged = whole.ToArray();
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            File.WriteAllBytes(IndexFile, damaged);
            var index = Opened();
            Assert.True(index.IsDamaged, $"bit {bit % 8} of octet {bit / 8} of {whole.Length}");
            // A damaged line end merges two lines, and the damaged check sum also invalidates the next line. So up to three messages are
            // lost.
            Assert.InRange(expected.Except(Text(index).Split('\n').Skip(1)).Count(), 0, 3);

            var before = index.Validity;
            index.Create();
            Assert.NotEqual(before, index.Validity);
            var again = Opened();
            Assert.False(again.IsDamaged);
            Assert.Equal(Text(index), Text(again));
        }
    }

    [Fact]
    public void An_index_of_a_later_version_is_not_read_and_not_taken_for_a_damaged_one()
    {
        File.WriteAllBytes(IndexFile, Later());
        var index = new EmlIndex(directory.Path, TimeProvider.System);
        var failure = Assert.Throws<MailException>(() => index.Refresh());
        Assert.Contains(IndexFile, failure.Message, StringComparison.Ordinal);
        Assert.Contains("version 2", failure.Message, StringComparison.Ordinal);
        Assert.False(failure.IsTransient);
        Assert.Throws<MailException>(() => index.Refresh());
        Assert.Equal(Later(), File.ReadAllBytes(IndexFile));

        // A later version number that is due to a wrong bit, and not to a later program, is reported as damage.
        var wrong = Later();
        wrong["imapsync-eml ".Length] ^= 4;
        File.WriteAllBytes(IndexFile, wrong);
        Assert.True(Opened().IsDamaged);
    }

    /// <summary>Returns an index in a version that this program does not know.</summary>
    public static byte[] Later()
    {
        var lines = new RecordWriter();
        lines.Begin(EmlLines.Magic).Add(2).Add("something").Add(4711).End();
        lines.Begin("new"u8).Add(1).End();
        return lines.Written.ToArray();
    }

    /// <summary>Writes an index with lines of each kind.</summary>
    /// <returns>For each line, the position of its end, and the index's contents up to there as text.</returns>
    private List<(int End, string Text)> WriteLines()
    {
        var index = Opened();
        index.Create();
        List<(int End, string Text)> ends = [((int)new FileInfo(IndexFile).Length, Text(index))];
        var day = new DateTimeOffset(2026, 11, 29, 4, 12, 0, TimeSpan.FromHours(1));
        foreach (var add in new Action<EmlLines>[]
        {
            l => l.Add(new EmlRecord(new Uid(1), 0, FlagSet.Parse(["\\Seen"]), day, 1234, IsFound: false), "2026-11-29 0412 one 1.eml"),
            l => l.Add(new EmlRecord(new Uid(2), 0, FlagSet.Empty, day.AddMinutes(1), 99, IsFound: false), "2026-11-29 0413 zwölf % 2.eml"),
            l => l.Add(new EmlRecord(new Uid(7), 0, FlagSet.Empty, day.AddMinutes(2), 5, IsFound: true), "mine.eml"),
            l => l.AddFlags(new Uid(2), FlagSet.Parse(["\\Flagged", "Work"])),
            l => l.Add(new EmlRecord(new Uid(1), 0, FlagSet.Parse(["\\Seen"]), day, 1234, IsFound: false), "renamed.eml"),
            l => l.AddRemoval(new Uid(2)),
            l => l.Add(new EmlRecord(new Uid(8), 0, FlagSet.Parse(["Last"]), day.AddMinutes(3), 1, IsFound: false), "2026-11-29 0415 8.eml"),
        })
        {
            var lines = index.Begin();
            add(lines);
            index.Append(lines);
            ends.Add(((int)new FileInfo(IndexFile).Length, Text(index)));
        }

        return ends;
    }

    private EmlIndex Opened()
    {
        var index = new EmlIndex(directory.Path, TimeProvider.System);
        index.Refresh();
        return index;
    }

    private static string Text(EmlIndex index)
    {
        var text = new StringBuilder($"next {index.Next.Value}\n");
        for (var at = 0; at < index.Count; at++)
        {
            var name = index.NameOf(index[at]);
            Assert.Equal(at, index.FindName(name));
            Assert.Equal(at, index.Find(index[at].Uid));
            text.Append(Model.Line(index[at], name));
        }

        return text.ToString();
    }

    /// <summary>The contents that the index should have.</summary>
    private sealed class Model
    {
        private readonly SortedDictionary<uint, (EmlRecord Record, string Name)> messages = [];
        private uint next = 1;

        /// <summary>UIDs of messages whose files are gone. The index may still contain them, so the comparison skips them.</summary>
        public HashSet<uint> Missing { get; } = [];

        public static string Line(in EmlRecord record, string name) => $"{record.Uid.Value} {name} {string.Join(',', record.Flags.Names)} {record.Date:O} {record.Size} {record.IsFound}\n";

        public string Text() => $"next {next}\n" + string.Concat(messages.Where(m => !Missing.Contains(m.Key)).Select(m => Line(m.Value.Record, m.Value.Name)));

        /// <summary>Makes the same random change to the index and to this model. Returns a word for the change.</summary>
        public string Step(EmlIndex index, Random random)
        {
            var lines = index.Begin();
            var some = messages.Keys.Where(u => !Missing.Contains(u) && random.Next(3) == 0).ToList();
            switch (random.Next(6))
            {
                case 0 or 1:
                    for (var i = random.Next(1, 6); i > 0; i--)
                    {
                        // UIDs that were assigned, but whose lines were lost, leave gaps.
                        next += (uint)random.Next(3);
                        var date = random.Next(5) == 0 ? default : new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.FromHours(random.Next(3))).AddSeconds(random.Next(1 << 24));
                        var record = new EmlRecord(new Uid(next), 0, Flags(random), date, random.Next(10000), random.Next(3) == 0);
                        Set(lines, record, $"2026-01-01 {random.Next(10)} Grüße 100% {next++}.eml");
                    }

                    index.Append(lines);
                    return "messages";
                case 2:
                    foreach (var uid in some)
                    {
                        var flags = Flags(random);
                        lines.AddFlags(new Uid(uid), flags);
                        messages[uid] = (messages[uid].Record with { Flags = flags }, messages[uid].Name);
                    }

                    lines.AddFlags(new Uid(next + 10), Flags(random));
                    index.Append(lines);
                    return "flags";
                case 3:
                    foreach (var uid in some)
                    {
                        lines.AddRemoval(new Uid(uid));
                        messages.Remove(uid);
                    }

                    index.Append(lines);
                    return "removals";
                case 4:
                    foreach (var uid in some)
                        Set(lines, messages[uid].Record, $"renamed {random.Next()} {uid}.eml");
                    index.Append(lines);
                    if (some.Count > 0 && Missing.Add(some[0]))
                        index.Keep(at => index[at].Uid.Value != some[0]);
                    return "new names, and a file that is gone";
                default:
                    for (var i = 0; i < 1200 + (2 * messages.Count); i++)
                        lines.AddFlags(new Uid(next + 10), FlagSet.Empty);
                    index.Append(lines);
                    index.RewriteIfWorthwhile();
                    foreach (var uid in Missing)
                        messages.Remove(uid);
                    return "written anew";
            }
        }

        private void Set(EmlLines lines, EmlRecord record, string name)
        {
            lines.Add(record, name);
            messages[record.Uid.Value] = (record, name);
        }

        private static FlagSet Flags(Random random) => FlagSet.Parse([.. new[] { "\\Seen", "\\Draft", "Work", "$Junk", "ä b%" }.Where(_ => random.Next(3) == 0)]);
    }
}
