namespace EdgeCloud.Mcap.Reading;

/// <summary>Reads a whole file once to find what its summary does not say: chunks, channels, schemas, messages outside chunks, counts.</summary>
internal sealed class DataScan(IByteSource source, McapSummary summary, McapIndexedReaderOptions options)
{
    private const int RunBytesMax = 1 << 20;

    private readonly SortedDictionary<ushort, ulong> _counts = [];
    private readonly ChunkReader _chunks = new(options.VerifyChunkCrc, options.ChunkBytesMax);
    private byte[] _chunkBuffer = [];
    private MessageRun _run;
    private ulong _messages;
    private ulong _startTime = ulong.MaxValue;
    private ulong _endTime;
    private uint _attachments;
    private uint _metadata;
    private bool _inData = true;

    public async ValueTask RunAsync(CancellationToken cancellationToken)
    {
        summary.Chunks.Clear();
        summary.AttachmentList.Clear();
        summary.MetadataList.Clear();
        summary.Scanned = true;
        using var chunks = _chunks;
        using var records = new SourceRecords(source, new()
        {
            ExpandChunks = false,
            VerifySectionCrcs = false,
            RecordBytesMax = Math.Max(options.ChunkBytesMax, source.Length),
        });
        while (await records.NextAsync(cancellationToken).ConfigureAwait(false) is { } record)
            Note(record);
        EndRun();
        summary.Statistics = summary.RecordedStatistics ?? Counted();
    }

    private Statistics Counted() => new(
        _messages, (ushort)summary.SchemasById.Count, (uint)summary.ChannelsById.Count, _attachments, _metadata,
        (uint)summary.Chunks.Count, _messages == 0 ? 0 : _startTime, _endTime, new ChannelMap(_counts));

    private void Note(McapRecord record)
    {
        if (!_inData)
            return;
        switch (record.Opcode)
        {
            case Opcode.Schema or Opcode.Channel:
                summary.Note(record);
                break;
            case Opcode.Message:
                var message = record.ToMessage();
                Count(message);
                Extend(record, message.LogTime);
                break;
            case Opcode.Chunk:
                EndRun();
                NoteChunk(record);
                break;
            case Opcode.Attachment:
                EndRun();
                _attachments++;
                var attachment = record.ToAttachment(verifyCrc: false);
                summary.AttachmentList.Add(new(
                    (ulong)record.Position.Offset, (ulong)record.Length, attachment.LogTime, attachment.CreateTime,
                    (ulong)attachment.Data.Length, attachment.Name, attachment.MediaType));
                break;
            case Opcode.Metadata:
                _metadata++;
                summary.MetadataList.Add(new((ulong)record.Position.Offset, (ulong)record.Length, record.ToMetadata().Name));
                break;
            case Opcode.DataEnd or Opcode.Footer:
                _inData = false;
                break;
        }
    }

    private void NoteChunk(McapRecord record)
    {
        var chunk = record.ToChunk();
        summary.Chunks.Add(new(
            chunk.MessageStartTime, chunk.MessageEndTime, (ulong)record.Position.Offset, (ulong)record.Length, default, 0,
            chunk.Compression, (ulong)chunk.Records.Length, chunk.UncompressedSize));
        var records = _chunks.Open(chunk, record.Position, ref _chunkBuffer);
        var at = 0;
        while (ChunkRecords.TryTake(records, ref at, record.Position.Offset, out var inner))
        {
            if (inner.Opcode == Opcode.Message)
                Count(inner.ToMessage());
            else
                summary.Note(inner);
        }
    }

    private void Count(in Message message)
    {
        _messages++;
        _startTime = Math.Min(_startTime, message.LogTime);
        _endTime = Math.Max(_endTime, message.LogTime);
        _counts[message.ChannelId] = _counts.GetValueOrDefault(message.ChannelId) + 1;
    }

    private void Extend(McapRecord record, ulong logTime)
    {
        var end = record.Position.Offset + record.Length;
        if (_run.Length > 0 && end - _run.Offset > RunBytesMax)
            EndRun();
        if (_run.Length == 0)
            _run = new(record.Position.Offset, 0, logTime, logTime);
        _run = new(_run.Offset, (int)(end - _run.Offset), Math.Min(_run.StartTime, logTime), Math.Max(_run.EndTime, logTime));
    }

    private void EndRun()
    {
        if (_run.Length > 0)
            summary.Runs.Add(_run);
        _run = default;
    }
}
