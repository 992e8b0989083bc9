namespace Imapsync.Bench.Contenders;

/// <summary>One mailbox to be copied by one program, and the directory where that program keeps its state.</summary>
/// <param name="Name">The name of the job; one word.</param>
internal sealed record Transfer(string Name, Place Source, Place Target, string StateDirectory);

/// <summary>A program that copies mail.</summary>
internal interface IContender
{
    /// <summary>The program's name in tables and in file names.</summary>
    string Name { get; }

    /// <summary>Returns whether the program supports this kind of transfer.</summary>
    bool Can(Transfer transfer);

    /// <summary>Copies mailboxes, or brings earlier copies up to date.</summary>
    /// <exception cref="InvalidOperationException">The program failed.</exception>
    Task<Measurement> RunAsync(IReadOnlyList<Transfer> transfers);
}
