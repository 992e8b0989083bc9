using System.IO.Pipelines;
using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;
using Imapsync.Imap;
using Imapsync.Serving.Mailboxes;
using Imapsync.Serving.Wire;

namespace Imapsync.Serving.Sessions;

/// <summary>The objects that all sessions share.</summary>
/// <param name="Fallback">The UIDVALIDITY for folders of a store that has none.</param>
/// <param name="Note">Receives messages for the server's operator.</param>
internal sealed record SessionContext(ServedAccount Account, LogInGuard Guard, UidValidity Fallback, ServingLimits Limits, TimeProvider Time, Action<string> Note);

/// <summary>One client's session (RFC 3501), from the greeting to the end. It runs one command at a time and never changes the mail.</summary>
internal sealed partial class ImapSession : IAsyncDisposable
{
    private const string Capabilities =
        "IMAP4rev1 LITERAL+ SASL-IR AUTH=PLAIN ID NAMESPACE CHILDREN UNSELECT IDLE LIST-EXTENDED LIST-STATUS SPECIAL-USE ESEARCH";

    private const string ReadOnlyText = "this is a backup: it can be read, searched and copied from, and nothing in it can be changed here";

    private readonly SessionContext context;
    private readonly string peer;
    private readonly Action onLoggedIn;
    private readonly PipeReader input;
    private readonly CommandReader reader;
    private readonly ResponseWriter output;
    private SelectedFolder? selected;
    private bool isLoggedIn;
    private bool isEnding;
    private int failures;

    /// <param name="peer">The client's address, for notes.</param>
    /// <param name="onLoggedIn">Called when the client has logged in.</param>
    public ImapSession(Stream stream, SessionContext context, string peer, Action onLoggedIn)
    {
        (this.context, this.peer, this.onLoggedIn) = (context, peer, onLoggedIn);
        output = new ResponseWriter(stream, context.Limits, context.Time);
        input = PipeReader.Create(stream, new StreamPipeReaderOptions(leaveOpen: true));
        reader = new CommandReader(input, context.Limits, context.Time, async c =>
        {
            output.Line("+ go ahead");
            await output.FlushAsync(c);
        });
    }

    private ServingLimits Limits => context.Limits;

    /// <summary>Runs until the client leaves, a limit is reached, or the token is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        output.Line($"* OK [CAPABILITY {Capabilities}] imapsync serves a backup, to be read only");
        using var logIn = new CancellationTokenSource(Limits.LogInTime, context.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(logIn.Token, cancellationToken);
        try
        {
            while (!isEnding)
            {
                await output.FlushAsync(cancellationToken);
                await StepAsync(isLoggedIn ? cancellationToken : either.Token);
            }

            await output.FlushAsync(cancellationToken);
        }
        catch (ConversationEndException e)
        {
            await EndAsync(e.Message, cancellationToken);
        }
        catch (OperationCanceledException) when (logIn.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            await EndAsync("nobody logged in", cancellationToken);
        }
        catch (OperationCanceledException)
        {
            using var grace = new CancellationTokenSource(TimeSpan.FromSeconds(1), context.Time);
            await EndAsync("the server ends", grace.Token);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await DeselectAsync();
        await input.CompleteAsync();
    }

    /// <summary>Sends BYE with a reason, unless the client would take it for part of a message.</summary>
    private async Task EndAsync(string why, CancellationToken cancellationToken)
    {
        if (!output.IsBetweenResponses)
            return;
        output.Line($"* BYE {why}");
        await output.FlushAsync(cancellationToken);
    }

    private async Task StepAsync(CancellationToken cancellationToken)
    {
        ReadOnlyMemory<byte>? octets;
        try
        {
            octets = await reader.ReadAsync(Limits.IdleTime, cancellationToken);
        }
        catch (RefusalException e)
        {
            output.Line($"{e.Data["tag"]} {(e.Data["tag"] is "*" ? "BAD" : "NO [TOOBIG]")} {e.Message}");
            return;
        }

        if (octets is not { } command)
        {
            isEnding = true;
            return;
        }

        var tag = CommandReader.TagOf(command.Span);
        if (tag == "*")
        {
            output.Line("* BAD a command begins with a tag");
            CountMistake();
            return;
        }

        var text = new CommandText(command[tag.Length..]);
        try
        {
            text.Skip(' ');
            await RunAsync(tag, text.Word(), text, cancellationToken);
        }
        catch (CommandException e)
        {
            output.Line($"{tag} BAD {e.Message}");
            CountMistake();
        }
        catch (RefusalException e)
        {
            output.Line($"{tag} NO {(e.Code is null ? "" : $"[{e.Code}] ")}{e.Message}");
        }
        catch (Exception e) when (!output.IsBetweenResponses && (e is MailException || FileErrors.Is(e)))
        {
            throw new LineLostException($"an answer could not be finished: {e.Message}");
        }
        catch (MailException e)
        {
            // The exception's text names files of this machine, so only the server's operator gets it, not the client.
            context.Note($"{peer}: {e.Message}");
            output.Line($"{tag} NO {(e.Kind == FailureKind.Gone ? "[NONEXISTENT] it is not there" : "[SERVERBUG] the backup could not be read; the server has told why on its terminal")}");
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            context.Note($"{peer}: {e.Message}");
            throw new ConversationEndException("the backup could not be read");
        }
    }

    /// <summary>
    /// Counts invalid commands and ends the connection after too many. A client that has not logged in is allowed fewer of them.
    /// </summary>
    private void CountMistake()
    {
        if (++failures >= (isLoggedIn ? 1000 : 10))
            throw new ConversationEndException("too many mistakes");
    }

    private async ValueTask RunAsync(string tag, string name, CommandText text, CancellationToken cancellationToken)
    {
        switch (name)
        {
            case "CAPABILITY":
                text.End();
                output.Line($"* CAPABILITY {Capabilities}").Line($"{tag} OK that is all");
                return;
            case "NOOP":
                text.End();
                output.Line($"{tag} OK done");
                return;
            case "LOGOUT":
                text.End();
                output.Line("* BYE until the next time").Line($"{tag} OK done");
                isEnding = true;
                return;
            case "ID":
                output.Line("* ID (\"name\" \"imapsync\")").Line($"{tag} OK done");
                return;
            case "LOGIN" or "AUTHENTICATE" when isLoggedIn:
                throw new CommandException("somebody is logged in already");
            case "LOGIN":
                await LogInAsync(tag, text, cancellationToken);
                return;
            case "AUTHENTICATE":
                await AuthenticateAsync(tag, text, cancellationToken);
                return;
            case "STARTTLS":
                throw new CommandException("there is no STARTTLS here: the server speaks TLS from the start, or stays on this machine");
        }

        if (!isLoggedIn)
            throw new CommandException("log in first");
        await RunLoggedInAsync(tag, name, text, cancellationToken);
    }

    private async ValueTask RunLoggedInAsync(string tag, string name, CommandText text, CancellationToken cancellationToken)
    {
        switch (name)
        {
            case "NAMESPACE":
                text.End();
                output.Line("* NAMESPACE ((\"\" \"/\")) NIL NIL").Line($"{tag} OK done");
                return;
            case "LIST" or "LSUB":
                await ListAsync(tag, text, isLsub: name == "LSUB", cancellationToken);
                return;
            case "STATUS":
                await StatusAsync(tag, text, cancellationToken);
                return;
            case "SELECT" or "EXAMINE":
                await SelectAsync(tag, text, cancellationToken);
                return;
            case "IDLE":
                text.End();
                await IdleAsync(tag, cancellationToken);
                return;
            case "APPEND" or "CREATE" or "DELETE" or "RENAME" or "SUBSCRIBE" or "UNSUBSCRIBE" or "SETACL" or "DELETEACL" or "SETMETADATA" or "SETQUOTA":
                throw new RefusalException(ReadOnlyText, "NOPERM");
            case "CHECK" or "CLOSE" or "UNSELECT" or "FETCH" or "SEARCH" or "UID" or "STORE" or "COPY" or "MOVE" or "EXPUNGE":
                await RunSelectedAsync(tag, name, text, selected ?? throw new CommandException("select a folder first"), cancellationToken);
                return;
            default:
                throw new CommandException("there is no such command");
        }
    }

    private async ValueTask RunSelectedAsync(string tag, string name, CommandText text, SelectedFolder folder, CancellationToken cancellationToken)
    {
        var byUid = name == "UID";
        if (byUid)
        {
            text.Skip(' ');
            name = text.Word();
        }

        switch (name)
        {
            case "CHECK" when !byUid:
                text.End();
                output.Line($"{tag} OK done");
                return;
            case "CLOSE" or "UNSELECT" when !byUid:
                text.End();
                await DeselectAsync();
                output.Line($"{tag} OK done");
                return;
            case "FETCH":
                await FetchAsync(tag, text, folder, byUid, cancellationToken);
                return;
            case "SEARCH":
                await SearchAsync(tag, text, folder, byUid, cancellationToken);
                return;
            case "STORE" or "COPY" or "MOVE" or "EXPUNGE":
                throw new RefusalException(ReadOnlyText, name == "COPY" ? "NOPERM" : "READ-ONLY");
            default:
                throw new CommandException("there is no such command");
        }
    }

    private async ValueTask DeselectAsync()
    {
        if (selected is not null)
            await selected.DisposeAsync();
        selected = null;
    }
}
