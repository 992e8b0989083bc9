using Imapsync.Serving.Finding;

namespace Imapsync.Servers.Tests.Serving;

public sealed class WordFilterTests
{
    [Fact]
    public void Letters_that_are_equal_in_any_case_are_folded_alike()
    {
        var folded = new Dictionary<string, char>(StringComparer.OrdinalIgnoreCase);
        for (var letter = 0; letter <= char.MaxValue; letter++)
        {
            if (char.IsSurrogate((char)letter))
                continue;
            var fold = WordFilter.Fold((char)letter);
            if (!folded.TryAdd($"{(char)letter}", fold))
                Assert.Equal(folded[$"{(char)letter}"], fold);
        }
    }

    [Theory]
    [InlineData("invoice", true)]
    [InlineData("of may", true)]
    [InlineData("日本", true)]
    [InlineData("本語", true)]
    [InlineData("語日", false)]
    [InlineData("xylophone", false)]
    [InlineData("a", true)]
    [InlineData("😀 b", true)]
    public void A_text_without_a_words_letters_does_not_have_it(string word, bool mayFit)
    {
        var filter = WordFilter.Of(new MessageTexts("", "", "Invoice of\n May", "日本語 a😀 b", HasAttachment: false));
        Assert.Equal(mayFit, new WordFilter.Question(new FindQuery { Words = [word] }).MayFit(filter, hasAttachment: false));
        Assert.False(new WordFilter.Question(new FindQuery { HasAttachment = true }).MayFit(filter, hasAttachment: false));
    }

    [Fact]
    public void Few_texts_are_taken_to_have_a_word_that_they_lack()
    {
        var random = new Random(1);
        string Word() => string.Concat(Enumerable.Range(0, 7).Select(_ => (char)('a' + random.Next(26))));
        var question = new WordFilter.Question(new FindQuery { Body = "invoice" });
        var wrong = Enumerable.Range(0, 1000).Count(_ =>
            question.MayFit(WordFilter.Of(new MessageTexts("", "", "", string.Join(' ', Enumerable.Range(0, 300).Select(_ => Word())), HasAttachment: false)), hasAttachment: false));
        Assert.InRange(wrong, 0, 20);
    }
}
