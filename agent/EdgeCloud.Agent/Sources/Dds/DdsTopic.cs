using EdgeCloud.Agent.Sources.Ros;

namespace EdgeCloud.Agent.Sources.Dds;

/// <summary>A DDS topic of one name and type that is subscribed to: its writers and its reader.</summary>
internal sealed class DdsTopic(string ddsName, string ddsType, bool isKeyed, string name, string type)
{
    public string DdsName { get; } = ddsName;
    public string DdsType { get; } = ddsType;
    public bool IsKeyed { get; } = isKeyed;

    /// <summary>The topic's name in the recording.</summary>
    public string Name { get; } = name;

    /// <summary>The type's name in the recording.</summary>
    public string Type { get; } = type;

    /// <summary>Names in ROS's discovery, and no topic to record.</summary>
    public bool IsDiscovery => DdsName == RosNames.DiscoveryTopic;

    public List<DdsWriter> Writers { get; } = [];

    /// <summary>The reader's number; -1 without one.</summary>
    public int Reader { get; set; } = -1;

    public ReaderQos? Qos { get; set; }

    /// <summary>A reader that is to take the place of <see cref="Reader"/> and collects meanwhile; -1 without one.</summary>
    public int NextReader { get; set; } = -1;

    public ReaderQos? NextQos { get; set; }

    /// <summary>Environment.TickCount64 when <see cref="NextReader"/> takes over, or when a stronger request is made; 0 for never.</summary>
    public long DueAt { get; set; }

    /// <summary>Its names at the sink: one, or one for each place of a writer when it is latched; none until it is told.</summary>
    public List<TopicHandle> Handles { get; } = [];

    /// <summary>Places of writers of a latched topic. That of a writer that went is given to the next one, such as its node started again.</summary>
    public List<bool> Places { get; } = [];

    /// <summary>Full names of the nodes that publish it, as they were told last.</summary>
    public IReadOnlyList<string> Nodes { get; set; } = [];

    /// <summary>What was told to the sink last.</summary>
    public SourceTopic? Told { get; set; }

    /// <summary>Exact length of its messages, to cut RTPS padding; null when the definition is not known for certain.</summary>
    public EdgeCloud.Ros2.Cdr.MessageExtent? Extent { get; set; }

    /// <summary>
    /// What suits all writers: reliable only if all are, transient local only if all are, because a reader that asks for more than a writer
    /// offers gets nothing from it.
    /// </summary>
    public ReaderQos Suitable()
    {
        var partitions = Writers.Select(w => System.Text.Encoding.Latin1.GetString(w.Partitions)).Distinct().Order(StringComparer.Ordinal).ToList();
        return new ReaderQos
        {
            IsReliable = Writers.TrueForAll(w => w.Qos.IsReliable),
            IsTransientLocal = Writers.TrueForAll(w => w.Qos.IsTransientLocal),
            IsExclusive = Writers.Exists(w => w.IsExclusive),
            // The default partition is named by an empty name; alone it needs no list.
            Partitions = partitions is [""] or [] ? "" : string.Concat(partitions.Select(p => p.Length == 0 ? "*\0" : p)),
        };
    }

    /// <summary>True when the last message of every writer stays valid.</summary>
    public bool IsLatched => Writers.TrueForAll(w => w.Qos.IsLatching);

    public string? TypeHash => Writers.Select(w => w.TypeHash).FirstOrDefault(h => h is not null);

    /// <summary>ROS nodes warn of endpoints without a type hash in their user data, so that of a writer is repeated on the reader.</summary>
    public byte[] UserData => Writers.Find(w => w.TypeHash is not null)?.UserData ?? [];

    /// <summary>The distinct profiles that writers offer, as the recording carries them.</summary>
    public string OfferedProfiles => QosProfile.Write(Writers.Select(w => w.Qos).Distinct()
        .OrderByDescending(q => q.IsReliable).ThenByDescending(q => q.IsTransientLocal).ThenBy(q => q.DeadlineNs).ThenBy(q => q.LifespanNs));
}
