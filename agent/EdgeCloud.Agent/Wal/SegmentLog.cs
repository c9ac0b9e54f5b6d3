using System.Threading.Channels;

namespace EdgeCloud.Agent.Wal;

/// <summary>
/// The write-ahead log of one session: takes messages from any number of threads, makes them durable within the stated bound, and cuts the
/// stream into segments, each a standard MCAP file. A thread of its own writes and syncs (<see cref="CommitLoop"/>); workers that all logs share
/// encode chunks, hash what was written and seal segments (<see cref="WalWorkers"/>).
/// <para>Files of its folder: <c>{sequence:000000}.mcap.open</c> while being written, <c>.mcap.rewrite</c> for a moment, <c>.mcap</c> when sealed.</para>
/// </summary>
public sealed class SegmentLog : IAsyncDisposable
{
    private readonly ChunkQueue _queue;
    private readonly ChannelTable _channels = new();
    private readonly SegmentSealer _sealer;
    private readonly SegmentHasher _hasher;
    private readonly SegmentFiles _files;
    private readonly CommitLoop _committer;
    private readonly Channel<SealedSegment> _sealed = Channel.CreateUnbounded<SealedSegment>(new() { SingleWriter = true });
    private readonly Channel<UnsealableSegment> _unsealable = Channel.CreateUnbounded<UnsealableSegment>(new() { SingleWriter = true });
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task? _finish;

    /// <summary>Opens a log and starts its thread.</summary>
    /// <param name="directory">Where segments go; it exists.</param>
    /// <param name="firstSequence">Number of the first segment: one more than the greatest that the session ever used.</param>
    /// <param name="options">How it behaves.</param>
    public SegmentLog(string directory, int firstSequence, SegmentLogOptions options)
        : this(directory, firstSequence, options, new LinuxFiles(), TimeProvider.System, WalWorkers.Shared)
    {
        new Thread(CommitToEnd) { Name = "wal-commit", IsBackground = true }.Start();
    }

    /// <summary>A log over other files and another clock, whose loop and workers the caller steps: for the crash simulator.</summary>
    internal SegmentLog(
        string directory, int firstSequence, SegmentLogOptions options, IWalFiles files, TimeProvider time, WalWorkers workers)
    {
        options.Validate();
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(firstSequence);
        directory = Path.GetFullPath(directory);
        var taken = files.List(directory).Select(SegmentName.SequenceOf).Max() ?? 0;
        if (firstSequence <= taken) throw new ArgumentException($"{directory} holds segment {taken} already: the first new one cannot be {firstSequence}.");
        _queue = new ChunkQueue(options, time, workers);
        _files = new SegmentFiles(files, directory, options, workers, Fail);
        var report = new CommitReport(options.Committed);
        _sealer = new SegmentSealer(
            files, options, time, _queue, report, workers, segment => _sealed.Writer.TryWrite(segment), segment => _unsealable.Writer.TryWrite(segment), End, Fail);
        _hasher = new SegmentHasher(options, _queue, _sealer, workers, Fail);
        _committer = new CommitLoop(options, time, _queue, _files, _hasher, _sealer, report, _channels, firstSequence);
    }

    /// <summary>Segments in the order in which they were sealed. Completes after <see cref="FinishAsync"/>.</summary>
    public ChannelReader<SealedSegment> Sealed => _sealed.Reader;

    /// <summary>Segments that the log gave up because of a failing device: no longer its own, for <see cref="SegmentRecovery.Recover"/>. Completes
    /// with <see cref="Sealed"/>.</summary>
    public ChannelReader<UnsealableSegment> Unsealable => _unsealable.Reader;

    /// <summary>Age of the oldest message of each commit when its sync returned: what the durability bound became.</summary>
    public LatencyHistogram CommitLatency => _committer.Latency;

    /// <summary>Messages that are durable, since the log was opened.</summary>
    public long DurableMessages => _committer.Messages;

    /// <summary>Number of the last segment that ended, sealed by now or not; 0 when none has since the log was opened.</summary>
    public int LastEnded => _committer.LastEnded;

    /// <summary>Memory of messages that wait for the disk, bytes.</summary>
    public long WaitingBytes => _queue.UsedBytes;

    /// <summary>The refusal by the disk that lasts; null when all is well. The log goes on by itself when the disk takes writes again.</summary>
    public WalIoException? Fault => _committer.Fault ?? _sealer.LastFault;

    /// <summary>Channels in the order in which they were added, with their counters.</summary>
    public IReadOnlyList<ChannelHandle> Channels => _channels.All;

    /// <summary>Ends when the log's threads end; faulted when one of them met something that it cannot handle, and then nothing more is taken.</summary>
    public Task Ended => _ended.Task;

    /// <summary>Adds a channel. Several may have the same topic.</summary>
    public ChannelHandle AddChannel(ChannelDefinition definition)
    {
        var channel = _channels.Add(definition);
        _queue.SetChannels(_channels.Ids, definition.MemoryShare);
        return channel;
    }

    /// <summary>
    /// Takes a message without ever waiting; it is durable within the bound. False when there is no memory for its channel: the message is then
    /// counted as dropped on its channel.
    /// </summary>
    /// <param name="channel">Made by this log.</param>
    /// <param name="sequence">The source's number of the message.</param>
    /// <param name="logTime">When it was received, ns since the Unix epoch.</param>
    /// <param name="publishTime">When it was published, ns since the Unix epoch.</param>
    /// <param name="data">Payload; copied.</param>
    /// <exception cref="InvalidOperationException">The log was finished.</exception>
    public bool TryAppend(ChannelHandle channel, uint sequence, ulong logTime, ulong publishTime, ReadOnlySpan<byte> data) =>
        _queue.TryAppend(channel, sequence, logTime, publishTime, data);

    /// <summary>Takes a message, waiting for memory if there is none, and completes when it is durable. Does not wait for the bound: its chunk is
    /// committed as soon as the disk is free.</summary>
    /// <inheritdoc cref="TryAppend" path="/param"/>
    /// <exception cref="WalIoException">The log ended before the disk took the message.</exception>
    public ValueTask AppendAsync(ChannelHandle channel, uint sequence, ulong logTime, ulong publishTime, ReadOnlyMemory<byte> data) =>
        _queue.TryAppendDurably(channel, sequence, logTime, publishTime, data.Span, out var durable)
            ? durable
            : AppendWhenRoomAsync(channel, sequence, logTime, publishTime, data);

    /// <summary>
    /// Makes known the last message of a latched channel that this log did not take, because the session began or went on after it: later
    /// segments repeat it.
    /// </summary>
    /// <param name="channel">Made by this log, latched.</param>
    /// <param name="sequence">The source's number of the message.</param>
    /// <param name="publishTime">When it was published, ns since the Unix epoch.</param>
    /// <param name="data">Payload; copied.</param>
    public void Prime(ChannelHandle channel, uint sequence, ulong publishTime, ReadOnlySpan<byte> data) =>
        _committer.Prime(channel, sequence, publishTime, data);

    /// <summary>
    /// Completes at once when there is memory for a message of that size on every channel, else when some has become free: then it is to be asked
    /// again. For a source that can wait, such as a replay.
    /// </summary>
    public Task WaitForRoomAsync(int payloadBytes) => _queue.WaitForRoomAsync(payloadBytes);

    /// <summary>Ends the present segment after everything appended so far; completes when that is durable and the segment is being sealed.</summary>
    public Task RotateAsync(SealReason reason) => _queue.Request(reason);

    /// <summary>Ends the log: completes when everything appended is durable and sealed. Sources must have stopped.</summary>
    public Task FinishAsync() => _finish ??= FinishOnceAsync();

    /// <summary>Finishes if that was not done, and frees memory.</summary>
    public async ValueTask DisposeAsync()
    {
        await FinishAsync().ConfigureAwait(false);
        Free();
    }

    /// <summary>The loop that commits, for whoever steps it.</summary>
    internal CommitLoop Committer => _committer;

    /// <summary>Frees memory and closes files as they are.</summary>
    internal void Free()
    {
        _committer.Dispose();
        _hasher.Dispose();
        _sealer.Dispose();
        _files.Dispose();
        _queue.Dispose();
    }

    private async Task FinishOnceAsync()
    {
        await _queue.Request(SealReason.Finish).ConfigureAwait(false);
        await _ended.Task.ConfigureAwait(false);
    }

    private async ValueTask AppendWhenRoomAsync(
        ChannelHandle channel, uint sequence, ulong logTime, ulong publishTime, ReadOnlyMemory<byte> data)
    {
        ValueTask durable;
        do await _queue.WaitForRoomAsync(data.Length).ConfigureAwait(false);
        while (!_queue.TryAppendDurably(channel, sequence, logTime, publishTime, data.Span, out durable));
        await durable.ConfigureAwait(false);
    }

    private void CommitToEnd()
    {
        try
        {
            _committer.Run();
        }
        catch (Exception unexpected)
        {
            // The loop handles what a disk can do; anything else is a fault of the program.
            Fail(unexpected);
        }
    }

    /// <summary>Everything is sealed, as far as the disk lets it be.</summary>
    private void End()
    {
        _files.RemovePrepared();
        _sealed.Writer.TryComplete();
        _unsealable.Writer.TryComplete();
        _ended.TrySetResult();
    }

    /// <summary>Takes nothing more, and lets the log's owner see why.</summary>
    private void Fail(Exception unexpected)
    {
        _queue.Fail(unexpected);
        _sealed.Writer.TryComplete(unexpected);
        _unsealable.Writer.TryComplete(unexpected);
        _ended.TrySetException(unexpected);
    }
}
