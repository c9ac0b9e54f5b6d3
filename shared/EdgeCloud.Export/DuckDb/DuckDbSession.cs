using System.Globalization;
using System.Runtime.InteropServices;

namespace EdgeCloud.Export.DuckDb;

/// <summary>An in-memory DuckDB with a limit on its memory and a folder to spill to.</summary>
internal sealed class DuckDbSession : IDisposable
{
    private IntPtr _database;
    private IntPtr _connection;

    /// <summary>Opens one.</summary>
    /// <param name="memoryBytes">Most memory that it takes for its buffers.</param>
    /// <param name="threads">Threads.</param>
    /// <param name="spillFolder">Where it spills what does not fit.</param>
    /// <exception cref="ExportException">The library cannot be loaded, or refuses.</exception>
    public DuckDbSession(long memoryBytes, int threads, string spillFolder)
    {
        try
        {
            NativeDuckDb.CreateConfig(out var config);
            Set(config, "memory_limit", string.Create(CultureInfo.InvariantCulture, $"{memoryBytes >> 20}MiB"));
            Set(config, "threads", threads.ToString(CultureInfo.InvariantCulture));
            Set(config, "temp_directory", spillFolder);
            Set(config, "allocator_flush_threshold", "16MiB"); // what is freed goes back to the system, not into the allocator's hoard
            Set(config, "autoinstall_known_extensions", "false");
            Set(config, "autoload_known_extensions", "false");
            var state = NativeDuckDb.OpenExt(null, out _database, config, out var error);
            NativeDuckDb.DestroyConfig(ref config);
            if (state != 0)
            {
                var text = Marshal.PtrToStringUTF8(error);
                NativeDuckDb.Free(error);
                throw new ExportException($"DuckDB does not start: {text}");
            }
            if (NativeDuckDb.Connect(_database, out _connection) != 0)
                throw new ExportException("DuckDB accepts no connection.");
        }
        catch (DllNotFoundException e)
        {
            throw new ExportException($"Parquet is written by DuckDB, whose library cannot be loaded: {e.Message}", e);
        }
    }

    /// <summary>The connection, for registering functions.</summary>
    public IntPtr Connection => _connection;

    /// <summary>Runs a statement that gives no rows.</summary>
    /// <exception cref="ExportException">It fails; the message is DuckDB's.</exception>
    public void Run(string sql, CancellationToken cancellation)
    {
        using var interruption = cancellation.UnsafeRegister(_ => NativeDuckDb.Interrupt(_connection), null);
        var state = NativeDuckDb.Query(_connection, sql, out var result);
        var error = state == 0 ? null : Marshal.PtrToStringUTF8(NativeDuckDb.ResultError(ref result));
        NativeDuckDb.DestroyResult(ref result);
        cancellation.ThrowIfCancellationRequested();
        if (error is not null)
            throw new ExportException(error);
    }

    /// <summary>A text as a literal.</summary>
    public static string Literal(string text) => $"'{text.Replace("'", "''")}'";

    /// <summary>A name.</summary>
    public static string Name(string name) => $"\"{name.Replace("\"", "\"\"")}\"";

    public void Dispose()
    {
        if (_connection != IntPtr.Zero)
            NativeDuckDb.Disconnect(ref _connection);
        if (_database != IntPtr.Zero)
            NativeDuckDb.Close(ref _database);
    }

    private static void Set(IntPtr config, string name, string value)
    {
        if (NativeDuckDb.SetConfig(config, name, value) != 0)
            throw new ExportException($"DuckDB does not know the setting {name}={value}.");
    }
}
