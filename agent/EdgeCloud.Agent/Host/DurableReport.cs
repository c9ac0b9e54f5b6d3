using System.Buffers;
using System.Text.Json;
using EdgeCloud.Agent.Sessions;
using EdgeCloud.Agent.Wal;

namespace EdgeCloud.Agent.Host;

/// <summary>
/// <c>record --report-durable FILE</c>: after each sync that returned, one line <c>{"session":...,"durable_messages":N,"time_ns":...}</c> is
/// appended to the file, with one write that nothing holds back. Whoever reads it knows from outside what a crash must not take.
/// </summary>
internal sealed class DurableReport : IDisposable
{
    private readonly FileStream _file;
    private readonly ArrayBufferWriter<byte> _line = new(256);
    private readonly Utf8JsonWriter _json;

    /// <exception cref="IOException">The file cannot be written to.</exception>
    public DurableReport(string path)
    {
        _file = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.Read, bufferSize: 0);
        _json = new Utf8JsonWriter(_line);
    }

    /// <summary>Writes a line. Called by one thread at a time.</summary>
    public void Tell(Session session, DurableCommit commit)
    {
        _line.ResetWrittenCount();
        _json.Reset();
        _json.WriteStartObject();
        _json.WriteString("session"u8, session.Id);
        _json.WriteNumber("durable_messages"u8, commit.Messages);
        _json.WriteNumber("time_ns"u8, commit.WallNs);
        _json.WriteEndObject();
        _json.Flush();
        _line.Write("\n"u8);
        _file.Write(_line.WrittenSpan);
    }

    public void Dispose()
    {
        _json.Dispose();
        _file.Dispose();
    }
}
