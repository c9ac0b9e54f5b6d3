namespace EdgeCloud.Agent;

/// <summary>Conditions that need a person. They stay until what raised them clears them, and travel in the robot's state.</summary>
internal sealed class Alarms
{
    private readonly Lock _gate = new();
    private readonly SortedDictionary<string, string> _raised = new(StringComparer.Ordinal);

    /// <summary>Told after a change.</summary>
    public event Action? Changed;

    /// <summary>One line each.</summary>
    public IReadOnlyList<string> Current
    {
        get
        {
            lock (_gate)
                return [.. _raised.Values];
        }
    }

    /// <summary>Raises or rewords the alarm <paramref name="name"/>; true when it was not raised in these words before.</summary>
    public bool Raise(string name, string text)
    {
        lock (_gate)
        {
            if (_raised.TryGetValue(name, out var present) && present == text)
                return false;
            _raised[name] = text;
        }
        Changed?.Invoke();
        return true;
    }

    /// <summary>Clears an alarm; true when it was raised.</summary>
    public bool Clear(string name)
    {
        lock (_gate)
        {
            if (!_raised.Remove(name))
                return false;
        }
        Changed?.Invoke();
        return true;
    }
}
