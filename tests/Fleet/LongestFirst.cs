using Xunit.Sdk;
using Xunit.v3;

[assembly: TestCollectionOrderer(typeof(Imapsync.Fleet.Tests.LongestFirst))]

namespace Imapsync.Fleet.Tests;

/// <summary>
/// Runs the test collections that use PostgreSQL first. They take longest; if they came last, no other tests would be left to run in
/// parallel.
/// </summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    private static readonly string[] First = [OtherPostgresCollection.Name, PostgresCollection.Name];

    public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(IReadOnlyCollection<TTestCollection> testCollections)
        where TTestCollection : ITestCollection =>
        [.. testCollections.OrderBy(c => Array.IndexOf(First, c.TestCollectionDisplayName) is >= 0 and var place ? place : First.Length)];
}
