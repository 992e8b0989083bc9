using System.Reflection;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Views;

namespace Imapsync.Engine.Tests.Stores.Views;

/// <summary>A view that does not forward a member would silently answer in place of the store behind it.</summary>
public sealed class StoreViewTests
{
    [Fact]
    public void No_contract_answers_for_a_store_by_itself() => Assert.Empty(
        typeof(IMessageStore).Assembly.GetTypes().Where(t => t is { IsInterface: true, Namespace: "Imapsync.Engine.Mail" })
            .SelectMany(t => t.GetMethods()).Where(m => !m.IsAbstract).Select(m => $"{m.DeclaringType!.Name}.{m.Name} has a body"));

    [Theory]
    [MemberData(nameof(MembersOf), typeof(IMessageStore))]
    public async Task A_view_of_a_store_hands_on(string member)
    {
        var (inner, asked) = Asked.Make<IMessageStore>();
        await using var view = new PlainView(inner);
        AssertHandsOn(typeof(IMessageStore), view, asked, member);
    }

    [Theory]
    [MemberData(nameof(MembersOf), typeof(IMessageFolder))]
    public async Task A_view_of_a_folder_hands_on(string member)
    {
        var (inner, asked) = Asked.Make<IMessageFolder>();
        await using var view = new PlainFolder(inner);
        if (member != "get_Status")
            AssertHandsOn(typeof(IMessageFolder), view, asked, member);
    }

    public static TheoryData<string> MembersOf(Type contract) => [.. Members(contract).Select(Name).Distinct()];

    private static void AssertHandsOn(Type contract, object view, List<string> asked, string member)
    {
        foreach (var method in Members(contract).Where(m => Name(m) == member))
        {
            asked.Clear();
            method.Invoke(view, [.. method.GetParameters().Select(p => p.ParameterType.IsValueType ? Activator.CreateInstance(p.ParameterType) : null)]);
            Assert.Equal([Signature(method)], asked);
        }
    }

    private static IEnumerable<MethodInfo> Members(Type contract) =>
        contract.GetMethods().Concat(contract.GetInterfaces().SelectMany(i => i.GetMethods()));

    private static string Name(MethodInfo method) => method.Name;

    private static string Signature(MethodInfo method) => method.ToString()!;

    private sealed class PlainView(IMessageStore store) : StoreView(store);

    private sealed class PlainFolder(IMessageFolder folder) : FolderView(folder, default)
    {
        public override IAsyncEnumerable<MessageInfo> ListAsync(ListRequest request, CancellationToken cancellationToken) => Folder.ListAsync(request, cancellationToken);
    }

    /// <summary>A proxy that records the members called and returns no results.</summary>
    public class Asked : DispatchProxy
    {
        private readonly List<string> asked = [];

        public static (T Proxy, List<string> Asked) Make<T>()
            where T : class
        {
            var proxy = Create<T, Asked>();
            return (proxy, ((Asked)(object)proxy).asked);
        }

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        {
            asked.Add(Signature(targetMethod!));
            return targetMethod!.ReturnType.IsValueType && targetMethod.ReturnType != typeof(void) ? Activator.CreateInstance(targetMethod.ReturnType) : null;
        }
    }
}
