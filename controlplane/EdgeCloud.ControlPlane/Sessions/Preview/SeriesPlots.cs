using System.Buffers.Binary;
using EdgeCloud.Contracts.Api;
using EdgeCloud.Export;
using EdgeCloud.Mcap;
using EdgeCloud.Mcap.Reading;
using EdgeCloud.Ros2.Cdr;

namespace EdgeCloud.ControlPlane.Sessions.Preview;

/// <summary>A field of a topic.</summary>
internal readonly record struct PlottedField(string Topic, string Field);

/// <summary>Reads fields over time from the excerpts of a session's segments, or from a segment itself where a field lies deep in large messages.</summary>
internal sealed class SeriesPlots(PreviewFiles files, ExcerptMaker excerpts, PreviewGate gate, TimeProvider clock)
{
    /// <summary>Fields of one plot.</summary>
    public const int FieldsMax = 6;
    /// <summary>Columns of one plot.</summary>
    public const int ColumnsMax = 4000;

    private const int Parallel = 4;

    /// <summary>Reads them. What is not ready when <paramref name="patience"/> is over is left out, and said to be.</summary>
    /// <exception cref="RequestException">There is no such topic or field.</exception>
    public async Task<SeriesView> ReadAsync(
        PreviewSession session, IReadOnlyList<PlottedField> fields, int columns, TimeSpan patience, CancellationToken cancellation)
    {
        foreach (var field in fields)
            session.Require(field.Topic);
        var meter = ReadMeter.Begin(clock);
        using var entered = await gate.EnterAsync(cancellation);
        var plot = new Plot(session, fields, columns);
        var here = session.Segments.Where(s => s.IsHere && fields.Any(f => HasMessages(s, f.Topic, session))).ToList();
        // Asked for from the last to the first, since what was asked for last is made first.
        foreach (var segment in here.AsEnumerable().Reverse())
            _ = excerpts.Want(segment);
        var queue = new Queue<PreviewSegment>(here);
        var deadline = clock.GetTimestamp();
        var read = 0;
        await Task.WhenAll(Enumerable.Range(0, Math.Min(Parallel, here.Count)).Select(_ => WorkAsync()));
        return plot.View(read, here.Count, meter.Cost);

        async Task WorkAsync()
        {
            var mine = plot.NewEnvelopes();
            while (true)
            {
                PreviewSegment segment;
                lock (queue)
                {
                    if (!queue.TryDequeue(out segment!))
                        break;
                }
                var left = patience - clock.GetElapsedTime(deadline);
                if (await WithExcerptAsync(segment, left, cancellation) is not { } excerpt)
                    continue;
                if (excerpt.Error.Length > 0)
                    plot.Miss(segment, $"segment {segment.Sequence} cannot be read: {excerpt.Error}");
                else if (!await ReadAsync(plot, mine, segment, excerpt, cancellation))
                    continue;
                Interlocked.Increment(ref read);
            }
            plot.Add(mine);
        }
    }

    private static bool HasMessages(PreviewSegment segment, string topic, PreviewSession session) =>
        segment.Topic(topic) is { Messages: > 0 } there && there.FirstLogTimeNs < session.ToNs && there.LastLogTimeNs >= session.FromNs;

    /// <summary>The excerpt of a segment; null when it does not come in time.</summary>
    private async Task<SegmentExcerpt?> WithExcerptAsync(PreviewSegment segment, TimeSpan patience, CancellationToken cancellation)
    {
        var making = excerpts.Want(segment);
        if (making.IsCompletedSuccessfully)
            return await making;
        if (patience <= TimeSpan.Zero)
            return null;
        try
        {
            return await making.WaitAsync(patience, clock, cancellation);
        }
        catch (Exception e) when (e is TimeoutException || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            return null;
        }
    }

    /// <summary>Reads one segment; false when its excerpt has to be made anew.</summary>
    private async Task<bool> ReadAsync(
        Plot plot, Envelope[] envelopes, PreviewSegment segment, SegmentExcerpt excerpt, CancellationToken cancellation)
    {
        try
        {
            var reader = await files.OpenAsync(excerpt.File, cancellation);
            foreach (var topic in plot.Topics)
            {
                var pass = new SeriesPass(plot, topic, segment);
                if (await pass.RunAsync(reader, isExcerpt: true, cancellation) || await FromSegmentAsync(pass, segment, cancellation))
                    pass.AddTo(envelopes);
                else
                    plot.Miss(segment, $"{topic} in segment {segment.Sequence} cannot be read: {pass.Problem}");
            }
            return true;
        }
        catch (Exception e) when (e is ExportException or McapException)
        {
            // Derived data may be deleted by anybody at any time.
            await excerpts.ForgetAsync(excerpt, cancellation);
            _ = excerpts.Want(segment with { Excerpt = null });
            return false;
        }
    }

    private async Task<bool> FromSegmentAsync(SeriesPass pass, PreviewSegment segment, CancellationToken cancellation)
    {
        try
        {
            return await pass.RunAsync(await files.OpenAsync(segment.File, cancellation), isExcerpt: false, cancellation);
        }
        catch (Exception e) when (e is ExportException or McapException)
        {
            pass.Problem = e.Message;
            return false;
        }
    }

    /// <summary>The messages of one topic in one segment.</summary>
    private sealed class SeriesPass(Plot plot, string topic, PreviewSegment segment)
    {
        private readonly int[] _wanted = [.. Enumerable.Range(0, plot.Fields.Count).Where(i => plot.Fields[i].Topic == topic)];
        private Envelope[] _found = [];
        private long _previousNs;
        private long _misfits;
        private string _misfit = "";

        /// <summary>Why the segment itself could not be read.</summary>
        public string Problem { get; set; } = "";

        /// <summary>Reads them; false when the beginnings in an excerpt do not reach the fields.</summary>
        public async Task<bool> RunAsync(McapIndexedReader reader, bool isExcerpt, CancellationToken cancellation)
        {
            _found = plot.NewEnvelopes();
            (_previousNs, _misfits) = (0, 0);
            var numbers = new Dictionary<ushort, FieldNumbers?[]>();
            await using var messages = reader.ReadMessages(new McapReadOptions
            {
                StartTime = (ulong)plot.Session.FromNs,
                EndTime = (ulong)plot.Session.ToNs,
                Channels = c => c.Topic == topic && !PreviewSession.IsRepeat(c),
            }).GetAsyncEnumerator(cancellation);
            while (await messages.MoveNextAsync())
            {
                var message = messages.Current;
                if (!numbers.TryGetValue(message.ChannelId, out var readers))
                    numbers.Add(message.ChannelId, readers = Compile(reader, reader.Channels[message.ChannelId]));
                if (!Take(message, readers, isExcerpt && IsBeginning(reader.Channels[message.ChannelId])))
                    return false;
            }
            return true;
        }

        public void AddTo(Envelope[] envelopes)
        {
            foreach (var i in _wanted)
                envelopes[i].Add(_found[i]);
            if (_misfits > 0)
                plot.Miss(segment, $"{_misfits} messages of {topic} in segment {segment.Sequence} do not fit their definition: {_misfit}");
        }

        private static bool IsBeginning(Channel channel) => channel.MessageEncoding.StartsWith(ExcerptWriter.BeginningOf, StringComparison.Ordinal);

        private FieldNumbers?[] Compile(McapIndexedReader reader, Channel channel)
        {
            var encoding = IsBeginning(channel) ? channel.MessageEncoding[ExcerptWriter.BeginningOf.Length..] : channel.MessageEncoding;
            var schema = reader.Schemas.GetValueOrDefault(channel.SchemaId);
            var readers = new FieldNumbers?[plot.Fields.Count];
            foreach (var i in _wanted)
            {
                try
                {
                    readers[i] = FieldNumbers.Compile(channel, encoding, schema, plot.Fields[i].Field);
                    plot.Found(i, readers[i]!.Unit);
                }
                catch (RequestException e)
                {
                    plot.NotFound(i, segment, e);
                }
            }
            return readers;
        }

        private bool Take(in Message message, FieldNumbers?[] readers, bool isBeginning)
        {
            var payload = message.Data.Span;
            var bytes = isBeginning ? BinaryPrimitives.ReadInt64LittleEndian(payload) : payload.Length;
            payload = isBeginning ? payload[ExcerptWriter.SizeBytes..] : payload;
            var plotted = new PlottedMessage((long)message.LogTime, _previousNs, bytes);
            foreach (var i in _wanted)
            {
                try
                {
                    if (readers[i] is { } reader && reader.TryRead(plotted, payload, out var value))
                        _found[i].Add(plotted.LogTimeNs, _previousNs, value);
                }
                catch (Exception e) when (e is CdrException or FormatException or System.Text.Json.JsonException)
                {
                    if (isBeginning)
                        return false;
                    if (_misfits++ == 0)
                        _misfit = e.Message;
                }
            }
            _previousNs = plotted.LogTimeNs;
            return true;
        }
    }

    /// <summary>A plot as it fills, from several segments at a time.</summary>
    private sealed class Plot(PreviewSession session, IReadOnlyList<PlottedField> fields, int columns)
    {
        private readonly Lock _lock = new();
        private readonly Envelope[] _envelopes = New(session, fields, columns);
        private readonly string?[] _units = new string?[fields.Count];
        private readonly RequestException?[] _refusals = new RequestException?[fields.Count];
        private readonly List<PreviewHole> _holes = [.. session.Absent()];

        public PreviewSession Session => session;
        public IReadOnlyList<PlottedField> Fields => fields;
        public IEnumerable<string> Topics => fields.Select(f => f.Topic).Distinct(StringComparer.Ordinal);

        public Envelope[] NewEnvelopes() => New(session, fields, columns);

        public void Add(Envelope[] envelopes)
        {
            lock (_lock)
            {
                for (var i = 0; i < fields.Count; i++)
                    _envelopes[i].Add(envelopes[i]);
            }
        }

        public void Found(int field, string unit)
        {
            lock (_lock)
                _units[field] ??= unit;
        }

        /// <summary>A field that no segment has is an error of who asks; one that some lack is a hole there.</summary>
        public void NotFound(int field, PreviewSegment segment, RequestException refusal)
        {
            lock (_lock)
                _refusals[field] ??= refusal;
            Miss(segment, $"in segment {segment.Sequence}, {refusal.Message}");
        }

        public void Miss(PreviewSegment segment, string reason)
        {
            lock (_lock)
                _holes.Add(new PreviewHole(segment.Manifest.LogTimeStartNs, segment.Manifest.LogTimeEndNs, reason));
        }

        public SeriesView View(int read, int segments, ReadCost cost)
        {
            for (var i = 0; i < fields.Count; i++)
            {
                if (_units[i] is null && _refusals[i] is { } refusal)
                    throw refusal;
            }
            var holes = session.Pauses.Select(p => (p.FromNs, p.ToNs ?? long.MaxValue))
                .Concat(session.Absent().Select(h => (h.FromNs, h.ToNs))).ToList();
            return new SeriesView
            {
                FromNs = session.FromNs,
                ToNs = session.ToNs,
                Columns = columns,
                Complete = read == segments,
                SegmentsRead = read,
                Segments = segments,
                Series = [.. fields.Select((f, i) => Line(f, _envelopes[i], _units[i] ?? "", holes))],
                Holes = [.. _holes.Distinct().OrderBy(h => h.FromNs)],
                Read = cost,
            };
        }

        private SeriesLine Line(PlottedField field, Envelope envelope, string unit, List<(long, long)> holes)
        {
            var (t, v) = envelope.Points(holes);
            var range = envelope.Range();
            return new SeriesLine
            {
                Topic = field.Topic,
                Field = field.Field,
                Unit = unit,
                Count = envelope.Count,
                NotFinite = envelope.NotFinite,
                Min = range?.Min,
                Max = range?.Max,
                T = t,
                V = v,
                Losses = [.. session.Segments.Select(s => Loss(s, field.Topic)).OfType<SeriesLoss>()],
            };
        }

        private static SeriesLoss? Loss(PreviewSegment segment, string topic)
        {
            if (segment.Manifest.Ledger.FirstOrDefault(e => e.Topic == topic) is not { } entry || entry.Lost() == 0)
                return null;
            string[] causes =
                [entry.DroppedQueue > 0 ? "queue" : "", entry.DroppedDisk > 0 ? "disk" : "", entry.LostTransport > 0 ? "transport" : ""];
            return new SeriesLoss(
                segment.Manifest.LogTimeStartNs, segment.Manifest.LogTimeEndNs, entry.Lost(), string.Join(", ", causes.Where(c => c.Length > 0)));
        }

        private static Envelope[] New(PreviewSession session, IReadOnlyList<PlottedField> fields, int columns) =>
            [.. fields.Select(_ => new Envelope(session.FromNs, session.ToNs, columns))];
    }
}
