using System.Reflection;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Limits;
using Imapsync.Engine.Stores.Views;
using Imapsync.Imap;

namespace Imapsync.Engine.Tests.Stores;

/// <summary>
/// A view wraps a store or a folder and must forward each call that it does not override. So the interfaces may have no default
/// implementations: a forgotten member would run the default instead of the wrapped object's code.
/// </summary>
public sealed class ViewForwardingTests
{
    public static TheoryData<string> StoreMembers => [.. Members(typeof(ITargetStore))];

    public static TheoryData<string> FolderMembers => [.. Members(typeof(IMessageFolder))];

    public static TheoryData<string> WritableMembers => [.. Members(typeof(IWritableFolder))];

    [Theory]
    [MemberData(nameof(StoreMembers))]
    public void A_view_of_a_store_hands_on(string member) => Check<ITargetStore>(member, s => new PlainStore(s));

    [Theory]
    [MemberData(nameof(FolderMembers))]
    public void A_view_of_a_folder_hands_on(string member)
    {
        // A view of a folder does not forward Status; it returns the status that was given to its constructor.
        if (member != "get_Status(0)")
            Check<IMessageFolder>(member, f => new PlainFolder(f));
    }

    [Theory]
    [MemberData(nameof(WritableMembers))]
    public void A_limited_folder_hands_on(string member) => Check<IWritableFolder>(member, f => new LimitedWritableFolder(f, Unlimited(), Unlimited()));

    [Fact]
    public void No_contract_has_a_default_that_a_view_could_lose() => Assert.Empty(
        from contract in typeof(IMessageStore).Assembly.GetTypes()
        where contract is { IsInterface: true, Namespace: "Imapsync.Engine.Mail" }
        from method in contract.GetMethods()
        where !method.IsAbstract
        select $"{contract.Name}.{method.Name}");

    private static TransferGate Unlimited() => new("test", TransferPace.Of(TransferLimits.None, TimeProvider.System), null, (_, _) => { });

    private static IEnumerable<string> Members(Type contract) =>
        contract.GetInterfaces().Append(contract).SelectMany(t => t.GetMethods()).Select(NameOf).Distinct();

    private static string NameOf(MethodInfo method) => $"{method.Name}({method.GetParameters().Length})";

    private static void Check<T>(string member, Func<T, T> view)
        where T : class
    {
        var asked = new List<string>();
        var inner = DispatchProxy.Create<T, Recorder>();
        ((Recorder)(object)inner).Asked = asked;
        var seen = view(inner);
        asked.Clear();
        foreach (var method in typeof(T).GetInterfaces().Append(typeof(T)).SelectMany(t => t.GetMethods()).Where(m => NameOf(m) == member))
        {
            var answer = method.Invoke(seen, [.. method.GetParameters().Select(p => p.ParameterType.IsValueType ? Activator.CreateInstance(p.ParameterType) : Given(p.ParameterType))]);
            Drain(answer);
            Assert.Contains(member, asked);
        }
    }

    private static object? Given(Type type) =>
        type == typeof(UidSet) ? new UidSet()
        : type == typeof(ListRequest) ? new ListRequest()
        : type == typeof(FolderPath) ? FolderPath.Inbox
        : type == typeof(IEnumerable<MessageInfo>) ? Array.Empty<MessageInfo>()
        : type == typeof(IAsyncEnumerable<IncomingMessage>) ? AsyncEnumerable.Empty<IncomingMessage>()
        : null;

    private static void Drain(object? answer)
    {
        if (answer is IAsyncEnumerable<IncomingMessage> messages)
            messages.CountAsync().AsTask().GetAwaiter().GetResult();
        else if (answer is IAsyncEnumerable<MessageInfo> infos)
            infos.CountAsync().AsTask().GetAwaiter().GetResult();
        else if (answer is IAsyncEnumerable<MessageHeader> headers)
            headers.CountAsync().AsTask().GetAwaiter().GetResult();
        else if (answer is Task task)
            task.GetAwaiter().GetResult();
    }

    private sealed class PlainStore(ITargetStore store) : TargetView(store);

    private sealed class PlainFolder(IMessageFolder folder) : FolderView(folder, default)
    {
        public override IAsyncEnumerable<MessageInfo> ListAsync(ListRequest request, CancellationToken cancellationToken) => Folder.ListAsync(request, cancellationToken);
    }

    /// <summary>Records which members are called, and returns default values.</summary>
    public class Recorder : DispatchProxy
    {
        public List<string> Asked { get; set; } = [];

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        {
            Asked.Add(NameOf(targetMethod!));
            var type = targetMethod!.ReturnType;
            if (type == typeof(Task))
                return Task.CompletedTask;
            if (type == typeof(ValueTask))
                return ValueTask.CompletedTask;
            if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(Task<>))
                return typeof(Task).GetMethod(nameof(Task.FromResult))!.MakeGenericMethod(type.GenericTypeArguments[0]).Invoke(null, [null]);
            if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IAsyncEnumerable<>))
                return typeof(AsyncEnumerable).GetMethod(nameof(AsyncEnumerable.Empty))!.MakeGenericMethod(type.GenericTypeArguments[0]).Invoke(null, []);
            return type.IsValueType && type != typeof(void) ? Activator.CreateInstance(type) : null;
        }
    }
}
