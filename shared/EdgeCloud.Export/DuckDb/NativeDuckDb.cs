using System.Reflection;
using System.Runtime.InteropServices;

namespace EdgeCloud.Export.DuckDb;

/// <summary>The functions of DuckDB's C API that are used (duckdb.h of version 1.5).</summary>
internal static unsafe partial class NativeDuckDb
{
    private const string Library = "duckdb";

    /// <summary>Names the library's file where it is not in one of the usual places.</summary>
    public const string PathVariable = "EDGECLOUD_DUCKDB";

    static NativeDuckDb() => NativeLibrary.SetDllImportResolver(typeof(NativeDuckDb).Assembly, Resolve);

    /// <summary>Where the library is; null when it is not to be found.</summary>
    public static string? FindLibrary()
    {
        if (Environment.GetEnvironmentVariable(PathVariable) is { Length: > 0 } given)
            return File.Exists(given) ? given : null;
        var beside = Path.Combine(AppContext.BaseDirectory, "libduckdb.so");
        if (File.Exists(beside))
            return beside;
        // A checkout keeps it where infra/duckdb puts it.
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var local = Path.Combine(folder.FullName, ".local", "duckdb", "libduckdb.so");
            if (File.Exists(local))
                return local;
        }
        string[] installed = ["/usr/local/lib/libduckdb.so", "/usr/lib/edgecloud/libduckdb.so", "/usr/lib/libduckdb.so"];
        return installed.FirstOrDefault(File.Exists);
    }

    private static IntPtr Resolve(string name, Assembly assembly, DllImportSearchPath? path)
    {
        if (name != Library)
            return IntPtr.Zero;
        return FindLibrary() is { } file
            ? NativeLibrary.Load(file)
            : throw new DllNotFoundException($"libduckdb.so is not there; 'infra/duckdb' fetches it, or {PathVariable} names it.");
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct Result
    {
        public ulong ColumnCount, RowCount, RowsChanged;
        public IntPtr Columns, ErrorMessage, Internal;
    }

    [LibraryImport(Library, EntryPoint = "duckdb_create_config")]
    public static partial int CreateConfig(out IntPtr config);

    [LibraryImport(Library, EntryPoint = "duckdb_set_config", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int SetConfig(IntPtr config, string name, string option);

    [LibraryImport(Library, EntryPoint = "duckdb_destroy_config")]
    public static partial void DestroyConfig(ref IntPtr config);

    [LibraryImport(Library, EntryPoint = "duckdb_open_ext", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int OpenExt(string? path, out IntPtr database, IntPtr config, out IntPtr error);

    [LibraryImport(Library, EntryPoint = "duckdb_close")]
    public static partial void Close(ref IntPtr database);

    [LibraryImport(Library, EntryPoint = "duckdb_connect")]
    public static partial int Connect(IntPtr database, out IntPtr connection);

    [LibraryImport(Library, EntryPoint = "duckdb_disconnect")]
    public static partial void Disconnect(ref IntPtr connection);

    [LibraryImport(Library, EntryPoint = "duckdb_interrupt")]
    public static partial void Interrupt(IntPtr connection);

    [LibraryImport(Library, EntryPoint = "duckdb_query", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Query(IntPtr connection, string sql, out Result result);

    [LibraryImport(Library, EntryPoint = "duckdb_result_error")]
    public static partial IntPtr ResultError(ref Result result);

    [LibraryImport(Library, EntryPoint = "duckdb_destroy_result")]
    public static partial void DestroyResult(ref Result result);

    [LibraryImport(Library, EntryPoint = "duckdb_free")]
    public static partial void Free(IntPtr pointer);

    [LibraryImport(Library, EntryPoint = "duckdb_create_logical_type")]
    public static partial IntPtr CreateLogicalType(int type);

    [LibraryImport(Library, EntryPoint = "duckdb_create_list_type")]
    public static partial IntPtr CreateListType(IntPtr item);

    [LibraryImport(Library, EntryPoint = "duckdb_create_array_type")]
    public static partial IntPtr CreateArrayType(IntPtr item, ulong size);

    [LibraryImport(Library, EntryPoint = "duckdb_create_struct_type")]
    public static partial IntPtr CreateStructType(IntPtr* members, IntPtr* names, ulong count);

    [LibraryImport(Library, EntryPoint = "duckdb_destroy_logical_type")]
    public static partial void DestroyLogicalType(ref IntPtr type);

    [LibraryImport(Library, EntryPoint = "duckdb_create_table_function")]
    public static partial IntPtr CreateTableFunction();

    [LibraryImport(Library, EntryPoint = "duckdb_destroy_table_function")]
    public static partial void DestroyTableFunction(ref IntPtr function);

    [LibraryImport(Library, EntryPoint = "duckdb_table_function_set_name", StringMarshalling = StringMarshalling.Utf8)]
    public static partial void SetName(IntPtr function, string name);

    [LibraryImport(Library, EntryPoint = "duckdb_table_function_set_extra_info")]
    public static partial void SetExtraInfo(IntPtr function, IntPtr info, IntPtr destroy);

    [LibraryImport(Library, EntryPoint = "duckdb_table_function_set_bind")]
    public static partial void SetBind(IntPtr function, delegate* unmanaged<IntPtr, void> bind);

    [LibraryImport(Library, EntryPoint = "duckdb_table_function_set_init")]
    public static partial void SetInit(IntPtr function, delegate* unmanaged<IntPtr, void> init);

    [LibraryImport(Library, EntryPoint = "duckdb_table_function_set_function")]
    public static partial void SetFunction(IntPtr function, delegate* unmanaged<IntPtr, IntPtr, void> main);

    [LibraryImport(Library, EntryPoint = "duckdb_register_table_function")]
    public static partial int Register(IntPtr connection, IntPtr function);

    [LibraryImport(Library, EntryPoint = "duckdb_bind_get_extra_info")]
    public static partial IntPtr BindExtraInfo(IntPtr info);

    [LibraryImport(Library, EntryPoint = "duckdb_bind_add_result_column", StringMarshalling = StringMarshalling.Utf8)]
    public static partial void AddResultColumn(IntPtr info, string name, IntPtr type);

    [LibraryImport(Library, EntryPoint = "duckdb_init_set_max_threads")]
    public static partial void SetMaxThreads(IntPtr info, ulong threads);

    [LibraryImport(Library, EntryPoint = "duckdb_function_get_extra_info")]
    public static partial IntPtr FunctionExtraInfo(IntPtr info);

    [LibraryImport(Library, EntryPoint = "duckdb_function_set_error", StringMarshalling = StringMarshalling.Utf8)]
    public static partial void SetFunctionError(IntPtr info, string error);

    [LibraryImport(Library, EntryPoint = "duckdb_data_chunk_get_vector")]
    [SuppressGCTransition]
    public static partial IntPtr ChunkVector(IntPtr chunk, ulong column);

    [LibraryImport(Library, EntryPoint = "duckdb_data_chunk_set_size")]
    [SuppressGCTransition]
    public static partial void SetChunkSize(IntPtr chunk, ulong size);

    [LibraryImport(Library, EntryPoint = "duckdb_vector_get_data")]
    [SuppressGCTransition]
    public static partial byte* VectorData(IntPtr vector);

    [LibraryImport(Library, EntryPoint = "duckdb_create_varchar_length")]
    public static partial IntPtr CreateText(byte* text, ulong length);

    [LibraryImport(Library, EntryPoint = "duckdb_destroy_value")]
    public static partial void DestroyValue(ref IntPtr value);

    [LibraryImport(Library, EntryPoint = "duckdb_vector_reference_value")]
    public static partial void ReferenceValue(IntPtr vector, IntPtr value);

    [LibraryImport(Library, EntryPoint = "duckdb_vector_ensure_validity_writable")]
    public static partial void EnsureValidity(IntPtr vector);

    [LibraryImport(Library, EntryPoint = "duckdb_vector_get_validity")]
    public static partial ulong* Validity(IntPtr vector);

    [LibraryImport(Library, EntryPoint = "duckdb_list_vector_get_child")]
    public static partial IntPtr ListChild(IntPtr vector);

    [LibraryImport(Library, EntryPoint = "duckdb_list_vector_reserve")]
    public static partial int ListReserve(IntPtr vector, ulong capacity);

    [LibraryImport(Library, EntryPoint = "duckdb_list_vector_set_size")]
    public static partial int ListSetSize(IntPtr vector, ulong size);

    [LibraryImport(Library, EntryPoint = "duckdb_array_vector_get_child")]
    public static partial IntPtr ArrayChild(IntPtr vector);

    [LibraryImport(Library, EntryPoint = "duckdb_struct_vector_get_child")]
    public static partial IntPtr StructChild(IntPtr vector, ulong index);
}
