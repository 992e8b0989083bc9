using Xunit.Sdk;
using Xunit.v3;

[assembly: TestCollectionOrderer(typeof(Imapsync.Fleet.Tests.LongestFirst))]

namespace Imapsync.Fleet.Tests;

/// <summary>Begins the collections on PostgreSQL first: they take longest, and nothing would run beside them at the end.</summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    private static readonly string[] First = [OtherPostgresCollection.Name, PostgresCollection.Name];

    public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(IReadOnlyCollection<TTestCollection> testCollections)
        where TTestCollection : ITestCollection =>
        [.. testCollections.OrderBy(c => Array.IndexOf(First, c.TestCollectionDisplayName) is >= 0 and var place ? place : First.Length)];
}
