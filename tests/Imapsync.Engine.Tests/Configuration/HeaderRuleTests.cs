using Imapsync.Engine.Jobs;

namespace Imapsync.Engine.Tests.Configuration;

public sealed class HeaderRuleTests : JobFileFixture
{
    [Fact]
    public void Every_key_is_read()
    {
        var filter = Filter("{ from: ['*@a', b], without_from: [c], to: [d], subject: [e], without_list_id: ['*'], headers: { X-One: f, x-two: g }, without_headers: { X-One: h } }");
        Assert.Equal(
            [
                "Addresses From: 3 *@a 1 b", "Addresses From without: 1 c", "Addresses To Cc Bcc: 1 d", "Text Subject: 1 e", "ListId List-Id without: 1 *",
                "Text X-One: 1 f", "Text x-two: 1 g", "Text X-One without: 1 h",
            ],
            filter.Headers.Select(h => h.ToString()));
        Assert.False(filter.IsEmpty);
    }

    [Fact]
    public void Two_names_of_a_field_that_differ_in_case_are_one() => Assert.Contains(
        "job.yaml:10:38: 'x-a' is there twice", Error(File(Job(job: "messages: { headers: { X-A: one, x-a: two } }"))), StringComparison.Ordinal);

    [Fact]
    public void Another_filter_has_another_fingerprint()
    {
        string[] filters =
        [
            "{ from: [a] }", "{ without_from: [a] }", "{ to: [a] }", "{ subject: [a] }", "{ subject: [a, b] }", "{ subject: ['a b'] }", "{ headers: { A: b } }", "{ headers: { B: a } }",
            "{ without_headers: { B: a } }", "{ since: 2020-01-01 }", "{ since: 2020-01-01, from: [a] }",
        ];
        var all = filters.Select(f => Filter(f).Fingerprint).ToList();
        Assert.Equal(all.Count, all.Distinct().Count());
        Assert.Equal(Filter(filters[0]).Fingerprint, Filter(filters[0]).Fingerprint);
    }

    private MessageFilter Filter(string messages) => Read(File(Job(job: $"messages: {messages}"))).Jobs.Single().Messages;
}
