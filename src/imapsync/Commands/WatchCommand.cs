using System.CommandLine;
using Imapsync.CommandLine.Output;
using Imapsync.Engine.Configuration;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Watching;

namespace Imapsync.CommandLine.Commands;

/// <summary>Runs <c>imapsync watch</c>, which runs jobs when their sources change, until it is stopped.</summary>
internal static class WatchCommand
{
    public static Command Create(HostContext surroundings)
    {
        var command = new ExampleCommand("watch", "Keep targets up to date: run each job when its source tells of a change, and every few minutes in any case.",
            ("imapsync watch jobs.yaml", "Watch every job of the file until Ctrl-C or SIGTERM."),
            ("imapsync watch jobs.yaml alice --log-format journald", "One job, as a service of systemd (docs/watch.md)."));
        var arguments = new JobFileArguments(command);
        var parallel = RunCommand.ParallelOption(4);
        var metrics = new Option<string>("--metrics-file") { Description = "Write the jobs' figures to this file for Prometheus, in place of the one that the job file names.", HelpName = "FILE" };
        command.Add(parallel);
        command.Add(metrics);
        var log = new LogOptions(command);
        command.SetAction((parsed, cancellationToken) => log.Read(parsed).RunAsync(surroundings, logged => StopSignals.GuardAsync(
            logged.Time,
            async (signals, stop) =>
            {
                using var watch = new Watch(await arguments.LoadAsync(parsed, logged, stop), parsed.GetValue(parallel), parsed.GetValue(metrics), arguments.IsJson(parsed), logged, signals);
                return await watch.RunAsync(stop);
            },
            cancellationToken)));
        return command;
    }

    private sealed class Watch(JobFile file, int parallel, string? metricsPath, bool isJson, HostContext surroundings, StopSignals signals) : IDisposable
    {
        private readonly SemaphoreSlim places = new(parallel);
        private int unready = file.Jobs.Length;

        /// <summary>Watches all jobs until they are stopped.</summary>
        /// <returns>
        /// The exit status: (1) that of the signal, if current work was aborted; (2) else the worst status of jobs that can't be watched
        /// and of bad rows of an account list; (3) else 0.
        /// </returns>
        public async Task<int> RunAsync(CancellationToken stop)
        {
            using var manager = new NotifySocket(surroundings.Environment, surroundings.Time, surroundings.Error);
            var events = surroundings.ShowEvents(isJson, liveJobs: 0);
            signals.OnStop = () =>
            {
                manager.Stopping();
                if (!surroundings.IsQuiet)
                    events.Say("Stopping: what is in hand is finished and saved. Once more to drop it.");
            };
            // When the file was read, the bad CSV rows were printed for people. Programs get these errors here, as events.
            foreach (var row in isJson ? RowReport.Events(file, surroundings.Time.GetUtcNow()) : [])
                events.Show(row);
            var shown = new WatchedEvents(events.Show);
            var statuses = await Task.WhenAll(WatchPlan.Of(file.Jobs).Select(plan => WatchAsync(plan, events.Show, shown, events.Say, manager, stop)));
            var showing = Task.Run(() => CloseAsync(events), CancellationToken.None);
            await Task.WhenAny(showing, JobQueue.AfterAbortAsync(TimeSpan.FromSeconds(1), surroundings.Time, signals.Abort)).Unwrap();
            return signals.Abort.IsCancellationRequested ? signals.InterruptedStatus : ExitStatus.Worst(statuses.Append(ExitStatus.Of(file.BadRows)));
        }

        public void Dispose() => places.Dispose();

        private async Task<int> WatchAsync(WatchPlan plan, Action<JobEvent> tell, WatchedEvents shown, Action<string> say, NotifySocket manager, CancellationToken stop)
        {
            var job = plan.Job;
            var record = new WatchRecord(surroundings, file, job, metricsPath, signals, text => say($"{job.Name}: {text}"));
            // The queue gets only one run at a time. It is used because it handles unexpected exceptions and jobs that do not end.
            var queue = new JobQueue(surroundings.RunJob, surroundings.Time, shown.Show) { OnEnd = (_, report) => record.AddAsync(report) };
            var watcher = new JobWatcher(plan, surroundings.Listen, RunOneAsync, surroundings.Time)
            {
                // Show every note, without the filter for repeated events, because the watcher itself suppresses repeated notes.
                OnNote = text => tell(new NoteRaised(job.Name, null, text)),
                OnReady = () =>
                {
                    if (Interlocked.Decrement(ref unready) == 0)
                        manager.Ready($"watching {Quantities.Count(file.Jobs.Length, "job")}");
                },
            };
            var hopeless = await watcher.RunAsync(stop);
            if (hopeless is not null)
                say($"{job.Name}: not watched, {JobText.Outcome(hopeless)}: correct it and start again");
            await Task.WhenAny(record.EndAsync(), JobQueue.AfterAbortAsync(TimeSpan.FromSeconds(2), surroundings.Time, signals.Abort)).Unwrap();
            return hopeless is null ? ExitStatus.Ok : ExitStatus.Of(hopeless, signals.InterruptedStatus);

            async Task<JobReport> RunOneAsync(JobDefinition now, RunOptions options)
            {
                await places.WaitAsync(stop);
                try
                {
                    return (await queue.RunAsync([now], 1, options, stop, signals.Abort))[0];
                }
                finally
                {
                    places.Release();
                }
            }
        }

        private static async Task CloseAsync(EventFeed events)
        {
            await events.CompleteAsync();
            await events.DisposeAsync();
        }
    }
}
