using System.Globalization;

namespace Imapsync.Fleet.Listing;

/// <summary>The fleet's tables. All numbers are bigint, all times milliseconds since 1970 by the database's clock.</summary>
internal static class FleetSchema
{
    /// <summary>The version of the tables, increased with each change of them.</summary>
    public const long Version = 4;

    public static async Task CreateAsync(Medium medium, CancellationToken cancellationToken)
    {
        using var turn = await medium.EnterAsync(cancellationToken);
        await medium.PrepareAsync(cancellationToken);
        await using var connection = await medium.OpenAsync(cancellationToken);
        await using var transaction = await medium.BeginAsync(connection, cancellationToken);
        // A lock makes programs that start at the same time create the tables one after the other, so that none fails.
        await medium.LockAsync(connection, transaction, FleetLock.Schema, cancellationToken);
        if (medium.CreateSchema is { } create)
            await connection.ExecuteAsync(transaction, create, cancellationToken);
        await connection.ExecuteAsync(transaction, Tables.Replace("{key}", medium.Key, StringComparison.Ordinal).Replace("{room}", medium.RoomToUpdate, StringComparison.Ordinal)
            .Replace("{octets}", medium.Octets, StringComparison.Ordinal), cancellationToken);
        await connection.ExecuteAsync(transaction, "insert into version(one, number) values(1, @number) on conflict do nothing", cancellationToken, ("number", Version));
        // Versions 2 to 4 only added tables, which were created above, so now only the number must be updated.
        await connection.ExecuteAsync(transaction, "update version set number = 4 where number in (1, 2, 3)", cancellationToken);
        var found = await connection.NumberAsync(transaction, "select number from version", cancellationToken);
        if (found != Version)
            throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"the tables of {medium.Display} have version {found}, and this program knows {Version}; use the program that made them, or a newer one"));
        await transaction.CommitAsync(cancellationToken);
    }

    private const string Tables = """
        create table if not exists version (one bigint primary key, number bigint not null);

        create table if not exists batch (
          id {key}, name text not null unique, job text not null, priority bigint not null, schedule text, zone text not null, next_run bigint,
          paused bigint not null, created bigint not null);

        create table if not exists host (
          id {key}, name text not null unique, connections bigint);

        create table if not exists route (
          id {key}, source bigint not null references host(id), target bigint not null references host(id), unique (source, target));

        create table if not exists account (
          id {key}, batch bigint not null references batch(id), name text not null, route bigint not null references route(id), mailbox text not null,
          source text not null, target text not null, search text not null, source_claim bigint not null, target_claim bigint not null, cells text not null,
          priority bigint not null, status bigint not null, wanted bigint not null default 0, due_at bigint not null, attempt bigint not null default 0,
          failures bigint not null default 0, planned bigint not null default 0, copied bigint not null default 0, bytes bigint not null default 0,
          problems bigint not null default 0, began bigint, ended bigint, problem text, unique (batch, name));

        create index if not exists account_due on account (route, priority desc, due_at, id) where status = 0;
        create index if not exists account_held on account (route) where status in (1, 2);
        create unique index if not exists account_mailbox on account (mailbox) where status in (1, 2);
        create index if not exists account_id on account (batch, id);
        create index if not exists account_status on account (batch, status, id);
        create index if not exists account_ended on account (batch, coalesce(ended, 0), id);
        create index if not exists account_copied on account (batch, copied, id);
        create index if not exists account_problems on account (batch, problems, id);

        create table if not exists report (account bigint primary key references account(id), body text not null);

        create table if not exists lease (
          account bigint primary key references account(id), attempt bigint not null, worker text not null, until bigint not null,
          planned bigint not null default 0, copied bigint not null default 0, bytes bigint not null default 0, folder text not null default ''){room};
        create index if not exists lease_worker on lease (worker);

        create table if not exists worker (id text primary key, slots bigint not null, version text not null, draining bigint not null, seen bigint not null);

        create table if not exists event (id {key}, account bigint not null references account(id), at bigint not null, words text not null);
        create index if not exists event_account on event (account, id);

        create table if not exists log (
          account bigint not null references account(id) on delete cascade, attempt bigint not null, number bigint not null, at bigint not null, words text not null,
          primary key (account, attempt, number));

        create table if not exists sample (
          minute bigint not null, worker text not null, messages bigint not null, octets bigint not null, primary key (minute, worker));

        create table if not exists job_state (
          id {key}, job text not null, part text not null, account bigint not null references account(id) on delete cascade, attempt bigint not null,
          hold bigint, holder text not null, begun bigint not null, turn_until bigint, unique (job, part));
        create index if not exists job_state_account on job_state (account);

        create table if not exists state_piece (
          id {key}, state bigint not null references job_state(id) on delete cascade, name text not null, unique (state, name));

        create table if not exists state_part (
          piece bigint not null references state_piece(id) on delete cascade, start bigint not null, octets {octets} not null, primary key (piece, start));

        create table if not exists sign_in (
          account bigint not null references account(id) on delete cascade, side text not null, binding text not null, token text not null, number bigint not null,
          turn_until bigint, signed_in bigint not null, primary key (account, side));

        """;
}
