using System.Globalization;

namespace EdgeCloud.Agent.Tests.Wal.Simulation;

/// <summary>See <see cref="SimulatedDisk"/> for the faults and <see cref="SimulatedRobot"/> for the story and the promise.</summary>
public sealed class CrashConsistencyTests
{
    /// <summary>More of them, for a soak: <c>EDGECLOUD_WAL_STORIES=100000</c>.</summary>
    private static readonly int Stories = int.Parse(
        Environment.GetEnvironmentVariable("EDGECLOUD_WAL_STORIES") ?? "1500", CultureInfo.InvariantCulture);

    [Fact]
    public void What_was_durable_survives_power_cuts_at_any_moment() => LiveMany(firstSeed: 0, faults: false);

    [Fact]
    public void What_was_durable_survives_power_cuts_and_a_failing_disk() => LiveMany(firstSeed: 1_000_000, faults: true);

    /// <summary>Stories that once ended badly.</summary>
    [Theory]
    [InlineData(1_001_397)] // the end of a segment was written again while a power cut could still find the file under its sealed name
    public void What_went_wrong_once_does_not_again(int seed) => new SimulatedRobot(seed, faults: true).Live(lives: 4);

    private static void LiveMany(int firstSeed, bool faults)
    {
        long owed = 0, cuts = 0;
        for (var seed = firstSeed; seed < firstSeed + Stories; seed++)
        {
            var robot = new SimulatedRobot(seed, faults);
            try
            {
                robot.Live(lives: 4);
            }
            catch (Exception failure)
            {
                throw new InvalidOperationException($"Seed {seed} (faults: {faults}): {failure.Message}", failure);
            }

            owed += robot.Owed;
            cuts += robot.PowerCuts;
        }

        // The stories must be about something.
        Assert.True(owed > 50L * Stories, $"{owed} messages were durable in {Stories} stories.");
        Assert.Equal(4L * Stories, cuts);
    }
}
