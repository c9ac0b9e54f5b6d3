namespace EdgeCloud.Ros2.Cdr;

/// <summary>A payload that does not fit its definition: names the field, the offset and what was found.</summary>
public sealed class CdrException : Exception
{
    /// <summary>Creates the error.</summary>
    /// <param name="path">Field, for example <c>pose.position.x</c>; empty where the payload as a whole is at fault.</param>
    /// <param name="offset">Byte in the payload, encapsulation header included.</param>
    /// <param name="problem">What is wrong.</param>
    public CdrException(string path, int offset, string problem)
        : base(path.Length == 0 ? $"byte {offset}: {problem}" : $"field '{path}', byte {offset}: {problem}")
    {
        Path = path;
        Offset = offset;
    }

    /// <summary>Field at fault, or empty.</summary>
    public string Path { get; }

    /// <summary>Byte in the payload where reading stopped.</summary>
    public int Offset { get; }
}
