using System.Text;
using EdgeCloud.Export.Reading;

namespace EdgeCloud.Export.Tables;

/// <summary>
/// Names of tables, good as file names: <c>/camera/front/image_raw</c> is <c>camera.front.image_raw</c> (a dot stands in no ROS name).
/// Where several types or topics would share a name, the first digits of the schema's hash tell them apart. Depends on the plan alone, so
/// that every part names alike.
/// </summary>
internal sealed class TableNames
{
    private const int LengthMax = 160;
    private readonly Dictionary<(string Topic, string Type, string Hash, string Encoding), string> _names = [];

    public TableNames(ExportPlan plan)
    {
        var topics = plan.Sessions.SelectMany(s => s.Topics)
            .Where(t => plan.Selection.Selects(t.Topic)).Select(t => (t.Topic, t.Type, t.SchemaHash, t.Encoding)).Distinct();
        foreach (var same in topics.GroupBy(t => FileName(t.Topic), StringComparer.OrdinalIgnoreCase))
        {
            var keys = same.Order().ToList();
            foreach (var key in keys)
                _names[key] = keys.Count == 1 ? FileName(key.Topic) : Distinct(key, keys.Count(k => k.SchemaHash == key.SchemaHash) > 1);
        }
    }

    /// <summary>The name of a channel's table.</summary>
    public string Of(FeedChannel channel)
    {
        var key = (channel.Topic, channel.Schema?.Name ?? "", channel.Schema?.Hash ?? "", channel.Encoding);
        return _names.GetValueOrDefault(key) ?? Distinct(key, true);
    }

    /// <summary>A topic as a file name.</summary>
    public static string FileName(string topic)
    {
        var name = new StringBuilder();
        foreach (var c in topic.TrimStart('/'))
            name.Append(c == '/' ? '.' : char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.' ? c : '_');
        if (name.Length == 0 || name[0] == '.')
            name.Insert(0, '_');
        return name.Length <= LengthMax ? name.ToString() : $"{name.ToString(0, LengthMax - 9)}.{Digits(topic)}";
    }

    private static string Distinct((string Topic, string Type, string Hash, string Encoding) key, bool byAll) =>
        $"{FileName(key.Topic)}.{(byAll || key.Hash.Length == 0 ? Digits(string.Join('\n', key.Topic, key.Type, key.Hash, key.Encoding)) : key.Hash[..8])}";

    private static string Digits(string text) =>
        Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..8];
}
