namespace Imapsync.Bench.Contenders;

/// <summary>One mailbox to be copied by one program, and where that program remembers.</summary>
/// <param name="Name">Of the job; a word.</param>
internal sealed record Transfer(string Name, Place Source, Place Target, string StateDirectory);

/// <summary>A program that copies mail.</summary>
internal interface IContender
{
    /// <summary>As it stands in the tables; also part of file names.</summary>
    string Name { get; }

    /// <summary>False where it has no such thing as the transfer asks for.</summary>
    bool Can(Transfer transfer);

    /// <summary>Copies, or brings up to date what an earlier run copied.</summary>
    /// <exception cref="InvalidOperationException">It failed.</exception>
    Task<Measurement> RunAsync(IReadOnlyList<Transfer> transfers);
}
