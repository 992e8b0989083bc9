using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Engine.State;

/// <summary>Writes and reads the records of a journal in format version 4, as defined in docs/checkpoints.md.</summary>
internal static class JournalRecords
{
    public const int Version = 4;

    /// <summary>The letter that stands for each <see cref="Settlement"/> in a record, indexed by its numeric value.</summary>
    private static ReadOnlySpan<byte> Letters => "casfv"u8;

    public static ReadOnlySpan<byte> Magic => "imapsync-journal"u8;

    public static ReadOnlySpan<byte> Commit => "commit"u8;

    public static void WriteHeader(RecordWriter writer, PairKey pair)
    {
        writer.Begin(Magic).Add(Version).End();
        writer.Begin("pair"u8).Add(pair.Source.ToString()).Add(pair.Target.ToString()).End();
    }

    public static void WriteReset(RecordWriter writer, UidValidity source, UidValidity target, string rules) =>
        writer.Begin("reset"u8).Add(source.Value).Add(target.Value).Add(rules).End();

    public static void WriteFlags(RecordWriter writer, int number, FlagSet flags)
    {
        writer.Begin("flags"u8).Add((ulong)number);
        foreach (var name in FlagSet.Create(flags.System).Names)
            writer.AddRaw(name);
        foreach (var keyword in flags.Keywords)
            writer.Add(keyword);
        writer.End();
    }

    public static void WriteSettled(RecordWriter writer, SettledList.Entry entry, int flags) =>
        End(writer.Begin(Letters.Slice((int)entry.Settlement, 1)).Add(entry.Source).Add(entry.Target).Add((ulong)flags), entry.Checksum, entry.Seen);

    public static void WriteForget(RecordWriter writer, Uid source) => writer.Begin("forget"u8).Add(source.Value).End();

    public static void WriteModSeq(RecordWriter writer, ModSeq? modSeq)
    {
        writer.Begin("modseq"u8);
        (modSeq is { } known ? writer.Add(known.Value) : writer.Add(null)).End();
    }

    public static void WriteRules(RecordWriter writer, string rules) => writer.Begin("rules"u8).Add(rules).End();

    public static void WriteKnownTargetUidNext(RecordWriter writer, Uid uidNext) => writer.Begin("uidnext"u8).Add(uidNext.Value).End();

    public static void WriteMoveUnderWay(RecordWriter writer, TrashMark? mark)
    {
        writer.Begin("trash"u8);
        if (mark is var (validity, uidNext))
            writer.Add(validity.Value).Add(uidNext.Value);
        writer.End();
    }

    public static void WriteDamaged(RecordWriter writer, Uid target, Uid source) =>
        writer.Begin("damaged"u8).Add(target.Value).Add(source.Value).End();

    public static void WriteRemovedDamaged(RecordWriter writer, Uid target) => writer.Begin("damaged"u8).Add(target.Value).End();

    public static void WriteCommit(RecordWriter writer) => writer.Begin(Commit).End();

    /// <summary>Applies one record that follows the journal's header to a state.</summary>
    /// <exception cref="StateDamagedException">No writer of this version would write this record at this position.</exception>
    public static void Apply(CheckpointState state, ReadOnlySpan<byte> record)
    {
        var fields = new RecordFields(record);
        var word = fields.Next();
        if (!state.HasBegun && !word.SequenceEqual("reset"u8))
            throw new StateDamagedException("it does not begin with a reset");
        if (word.Length == 1 && Letters.IndexOf(word[0]) is >= 0 and var letter)
            ApplySettled(state, (Settlement)letter, ref fields);
        else
            ApplyOther(state, word, ref fields);
        fields.End();
    }

    private static void End(RecordWriter record, MessageChecksum? checksum, Sighting? seen)
    {
        if (checksum is { } known)
            record.Add(known.Length).AddHex(known.Crc);
        else if (seen is var (size, header))
            record.Add(size).AddHex(header).AddRaw("seen");
        record.End();
    }

    private static void ApplySettled(CheckpointState state, Settlement settlement, ref RecordFields fields)
    {
        var source = fields.Number32();
        var target = fields.Number32();
        var flags = fields.Number32();
        if (source == 0 || flags >= (uint)state.Flags.Count)
            throw new StateDamagedException("a message has no UID or unknown flags");
        // Records of format version 1 have no check sums.
        MessageChecksum? checksum = fields.AtEnd ? null : ReadChecksum(ref fields);
        Sighting? seen = null;
        if (checksum is { } numbers && !fields.AtEnd)
        {
            Require(fields.Next().SequenceEqual("seen"u8), "a record is too long");
            (checksum, seen) = (null, new Sighting(numbers.Length, numbers.Crc));
        }

        state.Settle(new SettledList.Entry(source, target, settlement, (int)flags, checksum, seen));
    }

    private static MessageChecksum ReadChecksum(ref RecordFields fields)
    {
        var length = fields.Number32();
        Require(length <= MessageChecksum.MaxLength, "a length is out of range");
        return new MessageChecksum(fields.Hex32(), length);
    }

    private static void ApplyOther(CheckpointState state, ReadOnlySpan<byte> word, ref RecordFields fields)
    {
        if (word.SequenceEqual(Commit))
            return;
        if (word.SequenceEqual("reset"u8))
            state.Reset(new UidValidity(fields.Number32()), new UidValidity(fields.Number32()), fields.RequiredText());
        else if (word.SequenceEqual("flags"u8))
            ApplyFlags(state, ref fields);
        else if (word.SequenceEqual("forget"u8))
            Require(state.Forget(new Uid(fields.Number32())), "an unknown message is forgotten");
        else if (word.SequenceEqual("modseq"u8))
            state.SourceModSeq = fields.OptionalNumber() is { } modSeq ? new ModSeq(modSeq) : null;
        else if (word.SequenceEqual("rules"u8))
            state.Rules = fields.RequiredText();
        else if (word.SequenceEqual("uidnext"u8))
            state.KnownTargetUidNext = new Uid(fields.Number32());
        else if (word.SequenceEqual("trash"u8))
            state.MoveUnderWay = fields.AtEnd ? null : new TrashMark(new UidValidity(fields.Number32()), new Uid(fields.Number32()));
        else if (word.SequenceEqual("damaged"u8))
            ApplyDamaged(state, ref fields);
        else
            throw new StateDamagedException("a record of an unknown kind");
    }

    private static void ApplyDamaged(CheckpointState state, ref RecordFields fields)
    {
        var target = new Uid(fields.Number32());
        Require(!target.IsNone, "a damaged message has no UID");
        if (fields.AtEnd)
            Require(state.DamagedCopies.Remove(target), "a message that was not damaged was removed");
        else
            state.DamagedCopies[target] = new Uid(fields.Number32());
    }

    private static void ApplyFlags(CheckpointState state, ref RecordFields fields)
    {
        Require(fields.Number32() == (uint)state.Flags.Count, "flag sets are not numbered one after the other");
        var system = new List<string>();
        var keywords = new List<string>();
        while (!fields.AtEnd)
        {
            var name = fields.Next();
            if (name is [(byte)'\\', ..])
                system.Add(System.Text.Encoding.ASCII.GetString(name));
            else if (FieldEscaping.TryUnescape(name, out var keyword) && keyword is not null)
                keywords.Add(keyword);
            else
                throw new StateDamagedException("a keyword can't be read");
        }

        state.Flags.Add(FlagSet.Create(FlagSet.Parse(system).System, keywords));
    }

    private static void Require(bool condition, string otherwise)
    {
        if (!condition)
            throw new StateDamagedException(otherwise);
    }
}
