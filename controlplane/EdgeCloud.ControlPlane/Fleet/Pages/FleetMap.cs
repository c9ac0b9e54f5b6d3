using System.Globalization;
using EdgeCloud.Contracts;

namespace EdgeCloud.ControlPlane.Fleet.Pages;

/// <summary>Robots at one place of the map: those that would cover each other share a marker.</summary>
/// <param name="X">Place in the map's units.</param>
/// <param name="Y">Place in the map's units, downwards.</param>
/// <param name="Robots">At least one, the most urgent first.</param>
public sealed record MapMarker(double X, double Y, IReadOnlyList<FleetRow> Robots);

/// <summary>A line of the graticule.</summary>
/// <param name="At">Place in the map's units.</param>
/// <param name="Label">Degrees.</param>
public sealed record MapLine(double At, string Label);

/// <summary>
/// A map of where robots are, drawn from their positions alone: an equidistant cylindrical projection about the middle of the fleet, true
/// to scale there, with a graticule and a scale bar. It asks no one for tiles, so it tells no one where the robots are.
/// </summary>
public sealed record FleetMap
{
    /// <summary>Width in units, about pixels.</summary>
    public const double Width = 1100;
    /// <summary>Height in units.</summary>
    public const double Height = 560;

    private const double Margin = 70;
    private const double MarkerSize = 26;
    private const double MetresPerDegree = 111_320;
    private const double LeastMetres = 60;
    // Lines of the graticule are at least so far apart: their labels need the room.
    private const double ParallelUnits = 90;
    private const double MeridianUnits = 130;

    /// <summary>Robots that reported a position.</summary>
    public required IReadOnlyList<MapMarker> Markers { get; init; }
    /// <summary>Lines of equal longitude.</summary>
    public required IReadOnlyList<MapLine> Meridians { get; init; }
    /// <summary>Lines of equal latitude.</summary>
    public required IReadOnlyList<MapLine> Parallels { get; init; }
    /// <summary>Length of the scale bar, m.</summary>
    public required double ScaleMetres { get; init; }
    /// <summary>Length of the scale bar in units.</summary>
    public required double ScaleWidth { get; init; }

    /// <summary>The map of robots; null when none of them reported a position.</summary>
    public static FleetMap? Of(IReadOnlyList<FleetRow> rows)
    {
        var placed = rows.Where(r => r.Position is not null).Select(r => (Row: r, Place: r.Position!)).ToList();
        if (placed.Count == 0)
            return null;
        // A fleet on both sides of the date line is one fleet.
        var over = placed.Max(p => p.Place.Longitude) - placed.Min(p => p.Place.Longitude) > 180;
        double East(GeoPosition p) => over && p.Longitude < 0 ? p.Longitude + 360 : p.Longitude;
        var (west, east) = (placed.Min(p => East(p.Place)), placed.Max(p => East(p.Place)));
        var (south, north) = (placed.Min(p => p.Place.Latitude), placed.Max(p => p.Place.Latitude));
        var (middleEast, middleNorth) = ((west + east) / 2, (south + north) / 2);
        // Near the poles a degree of longitude shrinks to nothing; a fleet there is still drawn.
        var narrowing = Math.Max(0.01, Math.Cos(middleNorth * Math.PI / 180));
        var metresAcross = Math.Max(LeastMetres, Math.Max(
            (east - west) * MetresPerDegree * narrowing / (Width - (2 * Margin)), (north - south) * MetresPerDegree / (Height - (2 * Margin))) * (Width - (2 * Margin)));
        var unitsPerMetre = (Width - (2 * Margin)) / metresAcross;
        double X(double longitude) => (Width / 2) + ((longitude - middleEast) * MetresPerDegree * narrowing * unitsPerMetre);
        double Y(double latitude) => (Height / 2) - ((latitude - middleNorth) * MetresPerDegree * unitsPerMetre);
        var scale = Round(metresAcross / 6);
        var unitsPerDegree = unitsPerMetre * MetresPerDegree;
        var (stepNorth, stepEast) = (RoundUp(ParallelUnits / unitsPerDegree), RoundUp(MeridianUnits / unitsPerDegree / narrowing));
        return new FleetMap
        {
            Markers = Cluster(placed.Select(p => new MapMarker(X(East(p.Place)), Y(p.Place.Latitude), [p.Row]))),
            Meridians = Lines(middleEast, Width / 2 / unitsPerMetre / MetresPerDegree / narrowing, stepEast, X,
                degrees => Degrees(degrees > 180 ? degrees - 360 : degrees, "E", "W", stepEast)),
            Parallels = Lines(middleNorth, Height / 2 / unitsPerMetre / MetresPerDegree, stepNorth, Y, degrees => Degrees(degrees, "N", "S", stepNorth)),
            ScaleMetres = scale,
            ScaleWidth = scale * unitsPerMetre,
        };
    }

    /// <summary>A length with its unit.</summary>
    public static string Metres(double metres) =>
        metres >= 1000 ? (metres / 1000).ToString("#,0.#", CultureInfo.InvariantCulture) + " km" : metres.ToString("0.##", CultureInfo.InvariantCulture) + " m";

    // Whoever comes too near to a marker that is there joins it; the urgent come first, so that theirs are the places.
    private static List<MapMarker> Cluster(IEnumerable<MapMarker> single)
    {
        var markers = new List<MapMarker>();
        foreach (var marker in single.OrderBy(m => m.Robots[0].Urgency).ThenBy(m => m.Robots[0].Robot, StringComparer.Ordinal))
        {
            var near = markers.FindIndex(m => Math.Abs(m.X - marker.X) < MarkerSize && Math.Abs(m.Y - marker.Y) < MarkerSize);
            if (near < 0)
                markers.Add(marker);
            else
                markers[near] = markers[near] with { Robots = [.. markers[near].Robots, .. marker.Robots] };
        }
        return markers;
    }

    private static List<MapLine> Lines(double middle, double reach, double step, Func<double, double> place, Func<double, string> label)
    {
        var lines = new List<MapLine>();
        for (var k = Math.Ceiling((middle - reach) / step); k * step <= middle + reach && lines.Count < 50; k++)
            lines.Add(new MapLine(place(k * step), label(k * step)));
        return lines;
    }

    private static double Round(double rough)
    {
        var power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        return (rough / power >= 5 ? 5 : rough / power >= 2 ? 2 : 1) * power;
    }

    private static double RoundUp(double least)
    {
        var power = Math.Pow(10, Math.Floor(Math.Log10(least)));
        return (least / power <= 1 ? 1 : least / power <= 2 ? 2 : least / power <= 5 ? 5 : 10) * power;
    }

    private static string Degrees(double degrees, string positive, string negative, double step)
    {
        var digits = Math.Clamp((int)Math.Ceiling(-Math.Log10(step)), 0, 7);
        return Math.Abs(degrees).ToString("F" + digits.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture) + "° " + (degrees < 0 ? negative : positive);
    }
}
