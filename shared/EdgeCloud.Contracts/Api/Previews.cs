using System.Text.Json;

namespace EdgeCloud.Contracts.Api;

/// <summary><c>GET /api/v1/sessions/{id}/preview/topics</c>: what of a session can be looked at.</summary>
public sealed record PreviewTopicsView
{
    /// <summary>Session id.</summary>
    public required Guid Session { get; init; }
    /// <summary>Topics, in order of name.</summary>
    public required IReadOnlyList<PreviewTopicView> Topics { get; init; }
}

/// <summary>A topic that can be looked at.</summary>
public sealed record PreviewTopicView
{
    /// <summary>Topic name.</summary>
    public required string Topic { get; init; }
    /// <summary>Schema name, such as <c>sensor_msgs/msg/Imu</c>; empty when unknown.</summary>
    public required string Type { get; init; }
    /// <summary>Message encoding, such as <c>cdr</c>.</summary>
    public required string Encoding { get; init; }
    /// <summary>Messages in segments that are in storage.</summary>
    public required long Messages { get; init; }
    /// <summary>Log time of the first of them, ns since the Unix epoch.</summary>
    public required long FirstNs { get; init; }
    /// <summary>Log time of the last of them, ns since the Unix epoch.</summary>
    public required long LastNs { get; init; }
    /// <summary>What else than messages and plots it can be shown as: <c>image</c>, <c>points</c>, <c>log</c>; empty when nothing.</summary>
    public required string Kind { get; init; }
}

/// <summary><c>GET /api/v1/sessions/{id}/preview/fields</c>: what of a topic can be plotted.</summary>
public sealed record PreviewFieldsView
{
    /// <summary>Topic name.</summary>
    public required string Topic { get; init; }
    /// <summary>Schema name.</summary>
    public required string Type { get; init; }
    /// <summary>The fields, in the order of the definition.</summary>
    public required IReadOnlyList<PreviewFieldView> Fields { get; init; }
}

/// <summary>A field that can be plotted.</summary>
/// <param name="Field">Path, such as <c>linear_acceleration.x</c>, or something counted: <c>bytes()</c>, <c>interval()</c>, <c>points()</c>.</param>
/// <param name="Type">Such as <c>float64</c>.</param>
/// <param name="Unit">Unit; empty when unknown.</param>
public sealed record PreviewFieldView(string Field, string Type, string Unit);

/// <summary><c>GET /api/v1/sessions/{id}/preview/series</c>: fields over time, cut into columns about as wide as a pixel.</summary>
public sealed record SeriesView
{
    /// <summary>Left end, ns since the Unix epoch.</summary>
    public required long FromNs { get; init; }
    /// <summary>Right end, exclusive, ns since the Unix epoch.</summary>
    public required long ToNs { get; init; }
    /// <summary>Columns that the range was cut into. Of each, at most two points are given: its least and its greatest value.</summary>
    public required int Columns { get; init; }
    /// <summary>False while segments are still being prepared: ask again. What is there is right as far as it goes.</summary>
    public required bool Complete { get; init; }
    /// <summary>Segments of the range that are read, and those that there are in storage.</summary>
    public required int SegmentsRead { get; init; }
    /// <inheritdoc cref="SegmentsRead"/>
    public required int Segments { get; init; }
    /// <summary>One series per field, in the order in which they were asked for.</summary>
    public required IReadOnlyList<SeriesLine> Series { get; init; }
    /// <summary>Parts of the range that cannot be shown, and why.</summary>
    public required IReadOnlyList<PreviewHole> Holes { get; init; }
    /// <summary>What it took.</summary>
    public required ReadCost Read { get; init; }
}

/// <summary>One field over time.</summary>
public sealed record SeriesLine
{
    /// <summary>Topic.</summary>
    public required string Topic { get; init; }
    /// <summary>Field, as it was asked for.</summary>
    public required string Field { get; init; }
    /// <summary>Unit; empty when unknown.</summary>
    public required string Unit { get; init; }
    /// <summary>Messages of the range that have a value, NaN and infinities included.</summary>
    public required long Count { get; init; }
    /// <summary>How many of the values are NaN or infinite; they break the line.</summary>
    public required long NotFinite { get; init; }
    /// <summary>Least finite value; null without one.</summary>
    public double? Min { get; init; }
    /// <summary>Greatest finite value; null without one.</summary>
    public double? Max { get; init; }
    /// <summary>Times of the points, ns after <see cref="SeriesView.FromNs"/>, ascending.</summary>
    public required IReadOnlyList<long> T { get; init; }
    /// <summary>Values of the points; null breaks the line.</summary>
    public required IReadOnlyList<double?> V { get; init; }
    /// <summary>Messages that are known to be lost.</summary>
    public required IReadOnlyList<SeriesLoss> Losses { get; init; }
}

/// <summary>Messages of a topic that were lost somewhere in a stretch of time.</summary>
/// <param name="FromNs">Its start, ns since the Unix epoch.</param>
/// <param name="ToNs">Its end, ns since the Unix epoch.</param>
/// <param name="Messages">How many.</param>
/// <param name="Cause">Why: <c>queue</c>, <c>disk</c>, <c>transport</c>, or several joined by commas.</param>
public sealed record SeriesLoss(long FromNs, long ToNs, long Messages, string Cause);

/// <summary>A part of a range that cannot be shown.</summary>
/// <param name="FromNs">Its start, ns since the Unix epoch.</param>
/// <param name="ToNs">Its end, ns since the Unix epoch.</param>
/// <param name="Reason">Why.</param>
public sealed record PreviewHole(long FromNs, long ToNs, string Reason);

/// <summary>What a preview took to make.</summary>
/// <param name="Requests">Range requests to S3.</param>
/// <param name="Bytes">Bytes that they brought.</param>
/// <param name="Milliseconds">Time, ms.</param>
public sealed record ReadCost(long Requests, long Bytes, long Milliseconds);

/// <summary><c>GET /api/v1/sessions/{id}/preview/message</c>: the last message of a topic up to a moment.</summary>
public sealed record MessageView
{
    /// <summary>Topic.</summary>
    public required string Topic { get; init; }
    /// <summary>Schema name.</summary>
    public required string Type { get; init; }
    /// <summary>Message encoding.</summary>
    public required string Encoding { get; init; }
    /// <summary>When it was recorded, ns since the Unix epoch.</summary>
    public required long LogTimeNs { get; init; }
    /// <summary>When it was published, ns since the Unix epoch.</summary>
    public required long PublishTimeNs { get; init; }
    /// <summary>The source's counter.</summary>
    public required long Sequence { get; init; }
    /// <summary>Size of the payload.</summary>
    public required long Bytes { get; init; }
    /// <summary>
    /// The message; 64-bit integers are exact, NaN and infinities strings. Of arrays only the first elements are given, see <see cref="Cut"/>.
    /// </summary>
    public required JsonElement Message { get; init; }
    /// <summary>Arrays and texts of which only the beginning is given.</summary>
    public required IReadOnlyList<CutValue> Cut { get; init; }
    /// <summary>Why it is given as Base64 rather than decoded; empty otherwise.</summary>
    public required string Undecoded { get; init; }
}

/// <summary>An array or text of which only the beginning is given.</summary>
/// <param name="Path">Where in the message, such as <c>ranges</c>.</param>
/// <param name="Length">Elements or characters that it has.</param>
/// <param name="Shown">How many are given.</param>
public sealed record CutValue(string Path, long Length, int Shown);

/// <summary>A line of a log or a status of a diagnosis: <c>GET /api/v1/sessions/{id}/preview/log</c>, newest first.</summary>
public sealed record LogLineView
{
    /// <summary>When it was recorded, ns since the Unix epoch.</summary>
    public required long TimeNs { get; init; }
    /// <summary>Topic.</summary>
    public required string Topic { get; init; }
    /// <summary><c>debug</c>, <c>info</c>, <c>warn</c>, <c>error</c> or <c>fatal</c>; of a diagnosis <c>ok</c>, <c>warn</c>, <c>error</c> or <c>stale</c>.</summary>
    public required string Level { get; init; }
    /// <summary>Which node or component says it.</summary>
    public required string Name { get; init; }
    /// <summary>What it says.</summary>
    public required string Text { get; init; }
    /// <summary>Values beside it, as <c>key=value</c>.</summary>
    public required IReadOnlyList<string> Values { get; init; }
}

/// <summary>Lines of logs.</summary>
public sealed record LogView
{
    /// <summary>The lines, newest first.</summary>
    public required IReadOnlyList<LogLineView> Lines { get; init; }
    /// <summary>Send as <c>to_ns</c> for older ones; null when there are none.</summary>
    public long? NextToNs { get; init; }
    /// <summary>False while segments are still being prepared: ask again.</summary>
    public required bool Complete { get; init; }
    /// <summary>Parts of the range that cannot be shown, and why.</summary>
    public required IReadOnlyList<PreviewHole> Holes { get; init; }
}

/// <summary><c>POST /api/v1/sessions/{id}/preview/viewer</c>.</summary>
public sealed record ViewerRequest
{
    /// <summary>Which topics; null means all.</summary>
    public TopicSelection? Selection { get; init; }
    /// <summary>First log time, ns since the Unix epoch, inclusive; null means from the start.</summary>
    public long? FromNs { get; init; }
    /// <summary>Last log time, ns since the Unix epoch, exclusive; null means to the end.</summary>
    public long? ToNs { get; init; }
}

/// <summary>One merged file of a part of a session and the links that open it in viewers. The same part gives the same file while it lasts.</summary>
public sealed record ViewerView
{
    /// <summary>The export that makes the file; ask again until it succeeded.</summary>
    public required Guid Export { get; init; }
    /// <summary>Its state.</summary>
    public required ExportState State { get; init; }
    /// <summary>0 to 100.</summary>
    public required double Percent { get; init; }
    /// <summary>Why it failed; empty otherwise.</summary>
    public required string Error { get; init; }
    /// <summary>Presigned, range-readable link to the file; null before it is ready.</summary>
    public string? Url { get; init; }
    /// <summary>Opens it in Foxglove; null before it is ready.</summary>
    public string? Foxglove { get; init; }
    /// <summary>Opens it in Lichtblick; null before it is ready.</summary>
    public string? Lichtblick { get; init; }
    /// <summary>When the links stop working; null before it is ready.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }
}
