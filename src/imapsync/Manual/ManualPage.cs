namespace Imapsync.CommandLine.Manual;

/// <summary>A page of the manual as a value; <see cref="Roff"/> prints it.</summary>
/// <param name="Name">The name by which <c>man</c> finds the page, such as <c>imapsync-run</c>.</param>
/// <param name="Section">1 for commands, 5 for files.</param>
/// <param name="Purpose">One line.</param>
internal sealed record ManualPage(string Name, int Section, string Purpose, IReadOnlyList<ManualSection> Sections)
{
    public string FileName => $"{Name}.{Section}";
}

/// <param name="Title">The title as the page shows it.</param>
internal sealed record ManualSection(string Title, IReadOnlyList<ManualBlock> Blocks);

internal abstract record ManualBlock;

internal sealed record Paragraph(string Text) : ManualBlock;

/// <summary>A heading within a section.</summary>
internal sealed record SubHeading(string Text) : ManualBlock;

/// <summary>A word that is typed, such as an option, and what it means.</summary>
internal sealed record Definition(string Term, string Meaning) : ManualBlock;

/// <summary>Text that is typed or written literally, line by line.</summary>
internal sealed record Verbatim(string Text) : ManualBlock;
