using EdgeCloud.Agent.Sources;
using EdgeCloud.Agent.Sources.Simulated;

namespace EdgeCloud.Agent.Tests.Sources;

public sealed class NavSatFixTests
{
    [Theory]
    [InlineData("")]
    [InlineData("gps")]
    [InlineData("a_rather_long_frame/of/the_antenna")]
    public void A_fix_is_read_whatever_the_length_of_its_frame(string frame)
    {
        var position = NavSatFix.Read(Message(frame, status: 0, 48.1375, 11.575, 519), 42)!;

        Assert.Equal((48.1375, 11.575, 519.0, 42L), (position.Latitude, position.Longitude, position.Altitude!.Value, position.TimeNs));
    }

    [Fact]
    public void The_simulated_robot_knows_where_it_is()
    {
        var fix = new SimulatedRobot(1).Topics.Single(t => NavSatFix.IsType(t.Topic.Type));

        var position = NavSatFix.Read(fix.Write(3, 1_700_000_000_000_000_000, 0), 1)!;

        Assert.InRange(position.Latitude, 48.13, 48.14);
        Assert.InRange(position.Longitude, 11.57, 11.58);
    }

    [Theory]
    [InlineData(-1, 48, 11)]
    [InlineData(0, double.NaN, 11)]
    [InlineData(0, 91, 11)]
    [InlineData(0, 48, double.PositiveInfinity)]
    public void Without_a_fix_or_on_no_place_of_the_earth_there_is_no_position(int status, double latitude, double longitude) =>
        Assert.Null(NavSatFix.Read(Message("gps", (sbyte)status, latitude, longitude, 0), 1));

    [Fact]
    public void An_unknown_altitude_is_null_and_the_place_is_known_all_the_same() =>
        Assert.Null(NavSatFix.Read(Message("gps", 0, 48, 11, double.NaN), 1)!.Altitude);

    [Fact]
    public void Cut_and_damaged_messages_give_no_position_and_no_exception()
    {
        var whole = Message("gps", 0, 48, 11, 500).ToArray();
        // Behind the altitude come only covariances.
        for (var length = 0; length < 52; length++)
            Assert.Null(NavSatFix.Read(whole.AsSpan(0, length), 1));
        var random = new Random(5);
        for (var round = 0; round < 10_000; round++)
        {
            var damaged = whole.ToArray();
            for (var i = 0; i < 4; i++)
                damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            var position = NavSatFix.Read(damaged, 1);
            Assert.True(position is null || position.IsValid);
        }
    }

    private static ReadOnlySpan<byte> Message(string frame, sbyte status, double latitude, double longitude, double altitude)
    {
        var cdr = new CdrWriter();
        cdr.Begin();
        cdr.Header(1_700_000_000_000_000_000, frame);
        cdr.Byte((byte)status);
        cdr.UInt16(1);
        cdr.Vector(latitude, longitude, altitude);
        cdr.Doubles(new double[9]);
        cdr.Byte(2);
        return cdr.Message;
    }
}
