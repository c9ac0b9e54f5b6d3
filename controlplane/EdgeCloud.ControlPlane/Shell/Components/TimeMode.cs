namespace EdgeCloud.ControlPlane.Shell.Components;

/// <summary>How a <see cref="Time"/> is written.</summary>
public enum TimeMode
{
    /// <summary><c>2026-03-01 08:41:07.123</c>.</summary>
    Full,
    /// <summary><c>2026-03-01 08:41:07</c>.</summary>
    Second,
    /// <summary><c>08:41:07</c>, with the date when it is not today.</summary>
    Clock,
    /// <summary><c>12 s ago</c> under an hour, then like <see cref="Second"/>.</summary>
    Age,
}
