using Imapsync.Engine.Mail;
using Imapsync.Engine.State;
using Imapsync.Imap;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.State;

/// <summary>Random operations on a checkpoint, compared with the same operations on a plain dictionary.</summary>
public sealed class CheckpointModelTests : IDisposable
{
    private static readonly PairKey Pair = new(new FolderPath("a"), new FolderPath("b"));
    private readonly StateFolder folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Reopened_at_any_time_it_is_as_last_committed()
    {
        var seed = Seeds.Next();
        var random = new Random(seed);
        var (model, committed) = (new Model(), new Model());
        for (var life = 0; life < 60; life++)
        {
            await using var store = await folder.OpenAsync();
            await using var c = await store.OpenAsync(Pair, Token);
            model = committed.Copy();
            Assert.True(model.Describes(c), $"seed {seed}, life {life}");
            if (life == 0)
                model.Reset(c, random);
            for (var step = random.Next(400); step > 0; step--)
            {
                if (random.Next(15) == 0)
                {
                    await c.CommitAsync(Token);
                    committed = model.Copy();
                }
                else
                {
                    model.Step(c, random);
                }
            }

            Assert.True(model.Describes(c), $"seed {seed}, life {life}, before closing");
        }
    }

    private sealed record Model
    {
        private SortedDictionary<uint, SettledMessage> messages = [];
        private (uint Source, uint Target) validity;
        private ulong? modSeq;
        private uint uidNext;
        private TrashMark? move;
        private SortedDictionary<Uid, Uid> damaged = [];
        private string rules = "";

        public Model Copy() => this with { messages = new SortedDictionary<uint, SettledMessage>(messages), damaged = new SortedDictionary<Uid, Uid>(damaged) };

        public bool Describes(ICheckpoint c) =>
            c.Messages.SequenceEqual(messages.Values)
            && (c.SourceValidity.Value, c.TargetValidity.Value) == validity
            && c.SourceModSeq?.Value == modSeq
            && c.KnownTargetUidNext.Value == uidNext
            && c.MoveUnderWay == move
            && c.Rules == rules
            && c.DamagedCopies.SequenceEqual(damaged)
            && Enum.GetValues<Settlement>().All(s => c.Count(s) == messages.Values.Count(m => m.Settlement == s));

        public void Reset(ICheckpoint c, Random random)
        {
            messages.Clear();
            damaged.Clear();
            validity = ((uint)random.NextInt64(1L << 32), (uint)random.NextInt64(1L << 32));
            (modSeq, uidNext, move, rules) = (null, 0, null, $"rules {random.Next()}");
            c.Reset(new UidValidity(validity.Source), new UidValidity(validity.Target), rules);
        }

        public void Step(ICheckpoint c, Random random)
        {
            var uid = (uint)random.Next(1, 300);
            switch (random.Next(100))
            {
                case 0:
                    Reset(c, random);
                    break;
                case < 5:
                    modSeq = random.Next(3) == 0 ? null : (ulong)random.NextInt64();
                    c.SetSourceModSeq(modSeq is { } m ? new ModSeq(m) : null);
                    break;
                case < 10:
                    c.SetKnownTargetUidNext(new Uid(uidNext = (uint)random.NextInt64(1L << 32)));
                    break;
                case < 12:
                    c.SetMoveUnderWay(move = random.Next(2) == 0 ? null : new TrashMark(new UidValidity((uint)random.NextInt64(1L << 32)), new Uid((uint)random.Next())));
                    break;
                case 12:
                    damaged[new Uid(uid)] = new Uid(uid % 7);
                    c.MarkDamaged(new Uid(uid), new Uid(uid % 7));
                    damaged.Remove(new Uid(uid / 2));
                    c.ForgetDamaged(new Uid(uid / 2));
                    break;
                case < 15:
                    c.SetRules(rules = string.Concat(Enumerable.Range(0, random.Next(5)).Select(_ => (char)random.Next(0x10000))));
                    break;
                case < 30:
                    messages.Remove(uid);
                    c.Forget(new Uid(uid));
                    break;
                default:
                    var flags = FlagSet.Create((MessageFlags)random.Next(32), random.Next(3) == 0 ? [$"\\k{random.Next(9)} ", "%41"] : null);
                    var message = new SettledMessage(new Uid(uid), new Uid((uint)random.NextInt64(1L << 32)), (Settlement)random.Next(5), flags, random.Next(3) == 0 ? null : new MessageChecksum((uint)random.NextInt64(1L << 32), (uint)random.NextInt64(1L << 32) & ~1u));
                    if (message.Checksum is null && random.Next(2) == 0)
                        message = message with { Seen = new Sighting((uint)random.NextInt64(1L << 32) & ~1u, (uint)random.NextInt64(1L << 32)) };
                    c.Settle(messages[uid] = message);
                    break;
            }
        }
    }
}
