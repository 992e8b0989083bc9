using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Stores.Labels;

/// <summary>
/// The one place that knows what a job makes of labels: the engine is given stores that look as <see cref="JobDefinition.Labels"/>
/// wants them, and copies between these as between any others.
/// </summary>
public static class LabelViews
{
    public static IMessageStore OfSource(JobDefinition job, IMessageStore source) => job.Labels switch
    {
        LabelPolicy.Folders when source.Traits.HasLabels => new LabelsAsFolders(source, job.Folders),
        LabelPolicy.Keywords when source.Traits.HasLabels => new LabelsAsKeywords(source, isSource: true),
        _ => source,
    };

    /// <summary>A target without labels takes keywords as they are; one that has labels gets them back as such.</summary>
    public static IMessageStore OfTarget(JobDefinition job, IMessageStore target) =>
        job.Labels == LabelPolicy.Keywords && target.Traits.HasLabels ? new LabelsAsKeywords(target, isSource: false) : target;

    /// <summary>For people who check a job; null where there is nothing to say about labels.</summary>
    /// <param name="atSource">The source has labels.</param>
    /// <param name="atTarget">The target has.</param>
    public static StoreFact? Describe(JobDefinition job, bool atSource, bool atTarget) => (job.Labels, atSource) switch
    {
        (LabelPolicy.None, true) => new StoreFact(
            "Labels", "a message lies in All Mail and in the folder of each of its labels, and is copied as often; 'labels: folders' or 'labels: keywords' saves the copies", IsWarning: true),
        (LabelPolicy.Folders, true) => new StoreFact("Labels", "as folders; of All Mail only what lies in no other folder"),
        (LabelPolicy.Keywords, true) => new StoreFact("Labels", "as keywords on one copy of each message"),
        (not LabelPolicy.None, false) when !atTarget => new StoreFact("Labels", "neither source nor target has any: the job will not run", IsWarning: true),
        _ => null,
    };

    /// <summary>A restore is let through: a backup of labels may go to a server that has only keywords.</summary>
    /// <exception cref="MailException">The job wants labels and neither side has any.</exception>
    public static void Require(JobDefinition job, IMessageStore source, IMessageStore target)
    {
        if (job.Labels != LabelPolicy.None && !job.IsRestore && !source.Traits.HasLabels && !target.Traits.HasLabels)
            throw new MailException(FailureScope.Store, false, $"the job asks for labels ('labels'), and neither {source.Traits.Display} nor {target.Traits.Display} has any (X-GM-EXT-1)");
    }
}
