namespace EdgeCloud.Ros2.Definitions;

/// <summary>A message definition that cannot be understood: names the definition, the line and what is wrong.</summary>
public sealed class DefinitionException : Exception
{
    /// <summary>Creates the error.</summary>
    /// <param name="definition">Name of the definition, for example <c>std_msgs/msg/Header</c>.</param>
    /// <param name="line">Line in that definition's text, from 1; 0 where the fault has no line.</param>
    /// <param name="problem">What is wrong.</param>
    public DefinitionException(string definition, int line, string problem)
        : base(line > 0 ? $"{definition}, line {line}: {problem}" : $"{definition}: {problem}")
    {
        Definition = definition;
        Line = line;
    }

    /// <summary>Name of the definition at fault.</summary>
    public string Definition { get; }

    /// <summary>Line in that definition's text, from 1; 0 where the fault has no line.</summary>
    public int Line { get; }
}
