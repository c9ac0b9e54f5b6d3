using System.Security.Cryptography;

namespace EdgeCloud.Export;

/// <summary>The files that a part writes: named after it, hashed and counted on their way to the sink.</summary>
internal sealed class PartFiles(IExportSink sink, ExportPart part)
{
    private readonly List<ExportedFile> _files = [];

    /// <summary>Those that are complete.</summary>
    public IReadOnlyList<ExportedFile> Files => _files;

    /// <summary>Bytes written to all files, complete or not.</summary>
    public long Bytes { get; private set; }

    /// <summary>A name that no other part's file has: <c>stem.ext</c>, or <c>stem-00002-of-00005.ext</c> where there are several parts.</summary>
    public string NameOf(string stem, string extension) =>
        part.Count == 1 ? $"{stem}.{extension}" : $"{stem}-{part.Index:00000}-of-{part.Count:00000}.{extension}";

    /// <summary>Begins a file.</summary>
    public async ValueTask<PartFile> CreateAsync(string name, string contentType, string table, CancellationToken cancellation) =>
        new(this, name, table, await sink.CreateAsync(name, contentType, cancellation).ConfigureAwait(false));

    /// <summary>A file that is being written.</summary>
    internal sealed class PartFile(PartFiles owner, string name, string table, ExportOutput output) : ExportOutput
    {
        private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

        /// <summary>Bytes written so far.</summary>
        public long Written { get; private set; }

        public long Rows { get; set; }

        public long FirstNs { get; set; }

        public long LastNs { get; set; }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            _hash.AppendData(buffer.Span);
            Written += buffer.Length;
            owner.Bytes += buffer.Length;
            return output.WriteAsync(buffer, cancellationToken);
        }

        public override async Task CompleteAsync(CancellationToken cancellation)
        {
            await output.CompleteAsync(cancellation).ConfigureAwait(false);
            owner._files.Add(new ExportedFile
            {
                Name = name,
                Bytes = Written,
                Sha256 = Convert.ToHexStringLower(_hash.GetHashAndReset()),
                Table = table,
                Rows = Rows,
                FirstNs = FirstNs,
                LastNs = LastNs,
            });
        }

        public override async ValueTask DisposeAsync()
        {
            _hash.Dispose();
            await output.DisposeAsync().ConfigureAwait(false);
            await base.DisposeAsync().ConfigureAwait(false);
        }
    }
}
