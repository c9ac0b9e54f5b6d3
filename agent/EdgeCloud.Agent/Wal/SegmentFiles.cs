namespace EdgeCloud.Agent.Wal;

/// <summary>Gives the committer files for new segments, the next one made ready before it is needed.</summary>
internal sealed class SegmentFiles(
    IWalFiles files, string directory, SegmentLogOptions options, WalWorkers workers, Action<Exception> onUnexpected)
    : Strand<int>(workers, WalWorkers.Urgency.File, onUnexpected), IDisposable
{
    private readonly Lock _lock = new();
    private IWalFile? _prepared;
    private int _taken; // the segment whose file was handed out last

    /// <summary>Asks for the file of a segment to be made ready.</summary>
    public void Prepare(int sequence) => Post(sequence);

    /// <summary>The file of a segment: the one that was made ready, or a new one.</summary>
    public IWalFile Take(int sequence)
    {
        var path = PathOf(sequence);
        lock (_lock) // waits for a file that is just being made ready
        {
            _taken = sequence;
            var prepared = _prepared;
            _prepared = null;
            if (prepared?.Path == path) return prepared;
            prepared?.Dispose();
            if (prepared is not null) files.Delete(prepared.Path);
            return Create(path);
        }
    }

    /// <summary>Removes a file that was taken and of which nothing counts.</summary>
    public void Remove(string path) => files.Delete(path);

    /// <summary>Removes the file that was made ready for nothing. If the disk refuses, an empty file stays for the next survey to remove.</summary>
    public void RemovePrepared()
    {
        lock (_lock)
        {
            _taken = int.MaxValue; // what is still to be made ready is not
            if (_prepared is not { } unused) return;
            _prepared = null;
            unused.Dispose();
            try
            {
                files.Delete(unused.Path);
            }
            catch (WalIoException)
            {
                // See above: SegmentRecovery.Survey removes what was never begun.
            }
        }
    }

    /// <inheritdoc/>
    protected override void Handle(in int sequence)
    {
        try
        {
            lock (_lock)
            {
                if (_prepared is null && _taken < sequence) _prepared = Create(PathOf(sequence));
            }
        }
        catch (WalIoException)
        {
            // The committer tries again when it needs the file, and acts on what it gets.
        }
    }

    private IWalFile Create(string path)
    {
        // Left over from an attempt that failed half-way: the log's numbers were free when it was opened.
        if (files.Exists(path)) files.Delete(path);
        var file = files.Create(path, options.SegmentBytes);
        try
        {
            files.SyncDirectory(directory);
            return file;
        }
        catch (WalIoException)
        {
            file.Dispose();
            throw;
        }
    }

    private string PathOf(int sequence) => Path.Combine(directory, SegmentName.Of(sequence, SegmentName.Open));

    public void Dispose() => _prepared?.Dispose();
}
