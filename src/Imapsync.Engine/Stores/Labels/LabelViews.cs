using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Stores.Labels;

/// <summary>
/// Wraps stores in views that show labels as <see cref="JobDefinition.Labels"/> demands. No other part of the engine deals with labels: it copies
/// between these views as between any other stores.
/// </summary>
public static class LabelViews
{
    public static IMessageStore OfSource(JobDefinition job, IMessageStore source) => job.Labels switch
    {
        LabelPolicy.Folders when source.Traits.HasLabels => new LabelsAsFolders(source, job.Folders),
        LabelPolicy.Keywords when source.Traits.HasLabels => new LabelsAsKeywords(source),
        _ => source,
    };

    /// <summary>
    /// Returns the view of a target. In a target without labels, keywords stay keywords; in a target with labels, they are converted back to labels.
    /// </summary>
    public static ITargetStore OfTarget(JobDefinition job, ITargetStore target) =>
        job.Labels == LabelPolicy.Keywords && target.Traits.HasLabels ? new KeywordsAsLabels(target) : target;

    /// <summary>Describes the treatment of labels for people who check a job; null where there is nothing to say.</summary>
    /// <param name="atSource">Whether the source has labels.</param>
    /// <param name="atTarget">Whether the target has labels.</param>
    public static StoreFact? Describe(JobDefinition job, bool atSource, bool atTarget) => (job.Labels, atSource) switch
    {
        (LabelPolicy.None, true) => new StoreFact(
            "Labels", "a message lies in All Mail and in the folder of each of its labels, and is copied as often; 'labels: folders' or 'labels: keywords' saves the copies", IsWarning: true),
        (LabelPolicy.Folders, true) => new StoreFact("Labels", "as folders; of All Mail only what lies in no other folder"),
        (LabelPolicy.Keywords, true) => new StoreFact("Labels", "as keywords on one copy of each message"),
        (not LabelPolicy.None, false) when !atTarget => new StoreFact("Labels", "neither source nor target has any: the job will not run", IsWarning: true),
        _ => null,
    };

    /// <summary>
    /// Refuses a job that wants labels if neither store has labels. A restore is allowed, since a backup of labels may be restored to a server
    /// that has only keywords.
    /// </summary>
    /// <exception cref="MailException">The job wants labels and neither side has any.</exception>
    public static void Require(JobDefinition job, IMessageStore source, IMessageStore target)
    {
        if (job.Labels != LabelPolicy.None && !job.IsRestore && !source.Traits.HasLabels && !target.Traits.HasLabels)
            throw new MailException(FailureScope.Store, false, $"the job asks for labels ('labels'), and neither {source.Traits.Display} nor {target.Traits.Display} has any (X-GM-EXT-1)");
    }
}
