using System.Buffers.Binary;
using System.Text;

namespace EdgeCloud.Agent.Sources.Ros;

/// <summary>
/// Which node owns which publisher, from the messages that participants send on <c>ros_discovery_info</c>
/// (<c>rmw_dds_common/msg/ParticipantEntitiesInfo</c>). A gid there has 16 bytes, or 24 up to humble; its first 16 are the endpoint's GUID.
/// </summary>
internal sealed class RosGraph
{
    private const int MostItems = 100_000, LongestName = 1024;

    private readonly Dictionary<UInt128, List<UInt128>> _writersOfParticipants = []; // by GUID prefix
    private readonly Dictionary<UInt128, string> _nodesOfWriters = [];

    /// <summary>The full name of the node that owns a writer; null while unknown.</summary>
    public string? NodeOf(UInt128 writer) => _nodesOfWriters.GetValueOrDefault(writer);

    /// <summary>Takes in a message; false when it is not understood, and then nothing is changed.</summary>
    /// <param name="payload">CDR with its encapsulation header.</param>
    public bool Apply(ReadOnlySpan<byte> payload)
    {
        if ((Read(payload, gidBytes: 16) ?? Read(payload, gidBytes: 24)) is not var (participant, writers))
            return false;
        ForgetParticipantOf(participant);
        foreach (var (writer, node) in writers)
            _nodesOfWriters[writer] = node;
        if (writers.Count > 0)
            _writersOfParticipants[PrefixOf(participant)] = [.. writers.Select(w => w.Writer)];
        return true;
    }

    /// <summary>Forgets a writer that is gone.</summary>
    public void ForgetWriter(UInt128 writer) => _nodesOfWriters.Remove(writer);

    /// <summary>Forgets a participant with all its nodes: the one of whose entities this is one.</summary>
    public void ForgetParticipantOf(UInt128 entity)
    {
        if (!_writersOfParticipants.Remove(PrefixOf(entity), out var writers))
            return;
        foreach (var writer in writers)
            _nodesOfWriters.Remove(writer);
    }

    /// <summary>The first 12 bytes of a GUID are its participant's, the last four say which of its entities it is.</summary>
    private static UInt128 PrefixOf(UInt128 guid) => guid >> 32;

    /// <summary>Reads the whole message; null when it does not end where its bytes end, RTPS padding aside.</summary>
    private static (UInt128 Participant, List<(UInt128 Writer, string Node)> Writers)? Read(ReadOnlySpan<byte> payload, int gidBytes)
    {
        if (payload.Length < 4)
            return null;
        var reader = new Reader(payload[4..], isLittleEndian: (payload[1] & 1) == 1);
        var writers = new List<(UInt128, string)>();
        if (!reader.Gid(gidBytes, out var participant) || !reader.Count(out var nodes))
            return null;
        for (var n = 0; n < nodes; n++)
        {
            if (!reader.Text(out var space) || !reader.Text(out var name) || !reader.Count(out var readers))
                return null;
            for (var i = 0; i < readers; i++)
            {
                if (!reader.Gid(gidBytes, out _))
                    return null;
            }
            if (!reader.Count(out var count))
                return null;
            var node = space.EndsWith('/') ? space + name : $"{space}/{name}";
            for (var i = 0; i < count; i++)
            {
                if (!reader.Gid(gidBytes, out var writer))
                    return null;
                writers.Add((writer, node));
            }
        }
        return reader.Rest < 4 ? (participant, writers) : null;
    }

    /// <summary>The few CDR types of the message. Offsets count from the end of the encapsulation header.</summary>
    private ref struct Reader(ReadOnlySpan<byte> data, bool isLittleEndian)
    {
        private readonly ReadOnlySpan<byte> _data = data;
        private int _at;

        public readonly int Rest => _data.Length - _at;

        public bool Gid(int bytes, out UInt128 guid)
        {
            guid = default;
            if (Rest < bytes)
                return false;
            guid = BinaryPrimitives.ReadUInt128BigEndian(_data[_at..]);
            _at += bytes;
            return true;
        }

        public bool Count(out int count)
        {
            _at = (_at + 3) & ~3;
            count = 0;
            if (Rest < 4)
                return false;
            count = isLittleEndian ? BinaryPrimitives.ReadInt32LittleEndian(_data[_at..]) : BinaryPrimitives.ReadInt32BigEndian(_data[_at..]);
            _at += 4;
            return count is >= 0 and <= MostItems;
        }

        public bool Text(out string text)
        {
            text = "";
            if (!Count(out var bytes) || bytes is 0 or > LongestName || Rest < bytes || _data[_at + bytes - 1] != 0)
                return false;
            text = Encoding.UTF8.GetString(_data.Slice(_at, bytes - 1));
            _at += bytes;
            return true;
        }
    }
}
