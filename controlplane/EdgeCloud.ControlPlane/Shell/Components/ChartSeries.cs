using System.Globalization;

namespace EdgeCloud.ControlPlane.Shell.Components;

/// <summary>A point of a chart.</summary>
/// <param name="At">Place in percent of the width.</param>
/// <param name="Mean">Where the line is.</param>
/// <param name="Least">Lower end of the band.</param>
/// <param name="Most">Upper end of the band.</param>
public readonly record struct ChartPoint(double At, double Mean, double Least, double Most);

/// <summary>A line of a chart. Between runs nothing is known, so nothing joins them.</summary>
/// <param name="Name">For the legend.</param>
/// <param name="Runs">Unbroken stretches, in order.</param>
public sealed record ChartSeries(string Name, IReadOnlyList<IReadOnlyList<ChartPoint>> Runs);

/// <summary>A zero-based axis with few, round labels.</summary>
/// <param name="Max">Upper end.</param>
/// <param name="Step">Distance of the labels.</param>
public readonly record struct ChartAxis(double Max, double Step)
{
    private const int MostSteps = 4;

    /// <summary>The axis for values up to <paramref name="greatest"/>.</summary>
    public static ChartAxis For(double greatest)
    {
        if (greatest <= 0)
            return new ChartAxis(1, 0.5);
        var rough = greatest * 1.05 / MostSteps;
        var power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        var step = new[] { 1, 2, 2.5, 5, 10 }.First(m => m * power >= rough * 0.999999) * power;
        return new ChartAxis(Math.Ceiling(greatest * 1.05 / step) * step, step);
    }

    /// <summary>The labelled values, from zero.</summary>
    public IEnumerable<double> Labels()
    {
        for (var i = 0; i * Step <= Max * 1.000001; i++)
            yield return i * Step;
    }

    /// <summary>A label.</summary>
    public string Text(double value) => value.ToString(Step >= 1 ? "#,0.#" : Step >= 0.1 ? "0.##" : "0.####", CultureInfo.InvariantCulture).Replace(',', '\u2009');
}
