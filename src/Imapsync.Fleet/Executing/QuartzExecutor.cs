using System.Globalization;
using Imapsync.Fleet.Listing;
using Npgsql;
using Quartz;

namespace Imapsync.Fleet.Executing;

/// <summary>An executor based on Quartz.NET: in memory for one process, as a cluster in PostgreSQL for several.</summary>
/// <param name="connectionString">The connection string of PostgreSQL; null to run in memory.</param>
internal sealed class QuartzExecutor(string worker, int slots, string? connectionString, Func<Func<Task>, Task> alone) : IFleetExecutor
{
    private const string TablePrefix = "fleet.qrtz_";
    private const string Accounts = "accounts";
    private static readonly TimeSpan FeedInterval = TimeSpan.FromSeconds(2);

    private ServiceProvider? services;
    private IScheduler? scheduler;

    public async Task StartAsync(Func<CancellationToken, Task> feed, Func<long, long, Task> run, CancellationToken cancellationToken)
    {
        var collection = new ServiceCollection();
        collection.AddLogging();
        collection.AddSingleton(new Work(feed, run));
        collection.AddTransient<FeedJob>();
        collection.AddTransient<AttemptJob>();
        collection.AddQuartz(Configure);
        services = collection.BuildServiceProvider();
        // The first start creates the tables of the cluster, so only one worker at a time may do this.
        await alone(async () =>
        {
            scheduler = await services.GetRequiredService<ISchedulerFactory>().GetScheduler(cancellationToken);
            var job = JobBuilder.Create<FeedJob>().WithIdentity("feeder").Build();
            var trigger = TriggerBuilder.Create().WithIdentity("feeder").WithPriority(10)
                .WithSimpleSchedule(x => x.WithInterval(FeedInterval).RepeatForever().WithMisfireInstruction(SimpleTriggerMisfireInstruction.NextWithRemainingCount)).Build();
            await scheduler.ScheduleJob(job, [trigger], new ScheduleJobOptions { Replace = true }, cancellationToken);
        });
        await scheduler!.Start(cancellationToken);
    }

    public async Task OfferAsync(Offer offer, CancellationToken cancellationToken)
    {
        // Each attempt has a key of its own, so that it does not have to wait until the job of an older attempt is removed.
        var name = string.Create(CultureInfo.InvariantCulture, $"{offer.Account}.{offer.Attempt}");
        var job = JobBuilder.Create<AttemptJob>().WithIdentity(name, Accounts)
            .UsingJobData("account", offer.Account.ToString(CultureInfo.InvariantCulture)).UsingJobData("attempt", offer.Attempt.ToString(CultureInfo.InvariantCulture)).Build();
        var trigger = TriggerBuilder.Create().WithIdentity(name, Accounts).StartNow().WithPreferredNode(PreferredNode.For(offer.Worker)).WithExecutionGroup(Accounts)
            .WithSimpleSchedule(x => x.WithMisfireInstruction(SimpleTriggerMisfireInstruction.IgnoreMisfires)).Build();
        await scheduler!.ScheduleJob(job, [trigger], new ScheduleJobOptions { Replace = true }, cancellationToken);
    }

    public async Task DrainAsync(CancellationToken cancellationToken) => await scheduler!.Standby(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (scheduler is not null)
            await scheduler.Shutdown(false);
        if (services is not null)
            await services.DisposeAsync();
    }

    private void Configure(IQuartzBuilder quartz)
    {
        quartz.ConfigureScheduler(s =>
        {
            s.InstanceName = "fleet";
            s.InstanceId = worker;
            s.MaxBatchSize = 1;
            s.IdleWaitTime = TimeSpan.FromSeconds(3);
        });
        // One thread more than there are slots is reserved for the feeder.
        quartz.UseDefaultThreadPool(maxConcurrency: slots + 1);
        quartz.UseExecutionLimits(l => l.ForGroup(Accounts, slots));
        if (connectionString is null)
            return;
        quartz.UsePersistentStore(store =>
        {
            store.ProvisionSchema();
            store.UsePostgres(NpgsqlFactory.Instance, connectionString);
            store.UseSystemTextJsonSerializer();
            store.UseClustering(c =>
            {
                c.CheckinInterval = TimeSpan.FromSeconds(5);
                c.CheckinMisfireThreshold = TimeSpan.FromSeconds(10);
            });
            store.ConfigureStore(a =>
            {
                a.TablePrefix = TablePrefix;
                a.StoreJobDataAsStrings = true;
                a.DbRetryInterval = TimeSpan.FromSeconds(3);
            });
        });
    }

    private sealed record Work(Func<CancellationToken, Task> FeedAsync, Func<long, long, Task> RunAsync);

    [DisallowConcurrentExecution]
    private sealed class FeedJob(Work work) : IJob
    {
        public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken = default) => await work.FeedAsync(cancellationToken);
    }

    private sealed class AttemptJob(Work work) : IJob
    {
        public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken = default)
        {
            var data = context.MergedJobDataMap;
            await work.RunAsync(Number("account"), Number("attempt"));

            long Number(string key) => long.Parse(data.GetString(key)!, CultureInfo.InvariantCulture);
        }
    }
}
