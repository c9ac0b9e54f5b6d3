namespace EdgeCloud.Export;

/// <summary>Where an export's files go: a folder, or a bucket.</summary>
public interface IExportSink
{
    /// <summary>Begins a file. Few are open at a time; each is written from start to end.</summary>
    /// <param name="name">Path below the export, with slashes: <c>imu.data/robot=amr-01/date=2026-03-01/part-00000.parquet</c>.</param>
    /// <param name="contentType">Media type.</param>
    /// <param name="cancellation">Stops it.</param>
    ValueTask<ExportOutput> CreateAsync(string name, string contentType, CancellationToken cancellation);
}

/// <summary>
/// A file of an export that is being written. Written asynchronously only. It is visible once it is completed; disposed before, it leaves
/// nothing behind.
/// </summary>
public abstract class ExportOutput : Stream
{
    /// <summary>Makes the file whole and visible.</summary>
    public abstract Task CompleteAsync(CancellationToken cancellation);

    /// <inheritdoc/>
    public override bool CanRead => false;
    /// <inheritdoc/>
    public override bool CanSeek => false;
    /// <inheritdoc/>
    public override bool CanWrite => true;
    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();
    /// <inheritdoc/>
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <inheritdoc/>
    public abstract override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default);

    /// <inheritdoc/>
    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("Write asynchronously.");
    /// <inheritdoc/>
    public override void Flush() { }
    /// <inheritdoc/>
    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();
}

/// <summary>Files in a folder of this machine: written beside under another name, then renamed.</summary>
/// <param name="folder">The export's folder; made when it is not there.</param>
public sealed class FolderSink(string folder) : IExportSink
{
    /// <inheritdoc/>
    public ValueTask<ExportOutput> CreateAsync(string name, string contentType, CancellationToken cancellation)
    {
        var path = Path.GetFullPath(Path.Combine(folder, name));
        if (!path.StartsWith(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)) + Path.DirectorySeparatorChar, StringComparison.Ordinal))
            throw new ArgumentException($"'{name}' leads out of the export's folder.", nameof(name));
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        return ValueTask.FromResult<ExportOutput>(new FileOutput(path));
    }

    private sealed class FileOutput(string path) : ExportOutput
    {
        private readonly string _partial = $"{path}.{Environment.ProcessId}.part";
        private FileStream? _file = new($"{path}.{Environment.ProcessId}.part", FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            cancellationToken.ThrowIfCancellationRequested();
            _file!.Write(buffer.Span); // the page cache takes it; a file system has nothing to await
            return ValueTask.CompletedTask;
        }

        public override Task CompleteAsync(CancellationToken cancellation)
        {
            _file!.Dispose();
            _file = null;
            File.Move(_partial, path, overwrite: true);
            return Task.CompletedTask;
        }

        public override ValueTask DisposeAsync()
        {
            if (_file is not null)
            {
                _file.Dispose();
                _file = null;
                File.Delete(_partial);
            }
            return base.DisposeAsync();
        }
    }
}
