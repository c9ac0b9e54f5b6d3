using EdgeCloud.Contracts;
using EdgeCloud.ControlPlane.Fleet.Pages;

namespace EdgeCloud.Portal.Tests;

public sealed class FleetMapTests
{
    [Fact]
    public void Without_a_position_there_is_no_map() => Assert.Null(FleetMap.Of([Robot("a", null)]));

    [Fact]
    public void North_is_up_east_is_right_and_the_scale_is_true()
    {
        // 0.001 degrees of latitude are 111 m; at 60 degrees north a degree of longitude is half as long.
        var map = FleetMap.Of([Robot("south", At(60, 10)), Robot("north", At(60.001, 10)), Robot("east", At(60, 10.002))])!;

        var (south, north, east) = (Marker(map, "south"), Marker(map, "north"), Marker(map, "east"));
        Assert.True(north.Y < south.Y && east.X > south.X);
        Assert.Equal(111.3, (south.Y - north.Y) / map.ScaleWidth * map.ScaleMetres, 0.2);
        Assert.Equal(111.3, (east.X - south.X) / map.ScaleWidth * map.ScaleMetres, 0.2);
    }

    [Fact]
    public void A_fleet_on_both_sides_of_the_date_line_is_not_drawn_around_the_world()
    {
        var map = FleetMap.Of([Robot("west", At(-17, 179.999)), Robot("east", At(-17, -179.999))])!;

        Assert.True(Marker(map, "west").X < Marker(map, "east").X);
        Assert.True(map.ScaleMetres < 1000);
        Assert.Contains(map.Meridians, m => m.Label.EndsWith('W'));
    }

    [Fact]
    public void Robots_that_would_cover_each_other_share_a_marker_and_one_place_is_a_map_too()
    {
        var map = FleetMap.Of([Robot("a", At(48, 11)), Robot("b", At(48, 11))])!;

        Assert.Equal(2, Assert.Single(map.Markers).Robots.Count);
        Assert.InRange(map.ScaleMetres, 1, 60);
    }

    [Fact]
    public void Wherever_robots_are_everything_is_on_the_sheet()
    {
        var random = new Random(8);
        for (var round = 0; round < 300; round++)
        {
            var spread = Math.Pow(10, (random.NextDouble() * 8) - 6);
            var (latitude, longitude) = ((random.NextDouble() * 170) - 85, (random.NextDouble() * 360) - 180);
            var rows = Enumerable.Range(0, random.Next(1, 30)).Select(i => Robot($"r{i}", At(
                Math.Clamp(latitude + (random.NextDouble() * spread), -90, 90), Math.Clamp(longitude + (random.NextDouble() * spread), -180, 180)))).ToList();

            var map = FleetMap.Of(rows)!;

            Assert.Equal(rows.Count, map.Markers.Sum(m => m.Robots.Count));
            Assert.All(map.Markers, m => Assert.True(m.X is >= 0 and <= FleetMap.Width && m.Y is >= 0 and <= FleetMap.Height));
            Assert.InRange(map.Meridians.Count, 1, 50);
            Assert.InRange(map.Parallels.Count, 1, 50);
            Assert.InRange(map.ScaleWidth, 30, 400);
        }
    }

    [Theory]
    [InlineData("", "c,b,a")]
    [InlineData("robot", "a,b,c")]
    [InlineData("-robot", "c,b,a")]
    [InlineData("rate", "b,a,c")]
    [InlineData("-rate", "a,b,c")]
    [InlineData("nonsense", "c,b,a")]
    public void Robots_are_sorted_by_what_the_address_says_and_unknown_figures_come_last(string sort, string order)
    {
        FleetRow[] rows =
        [
            Robot("a", null) with { BytesPerSecond = 20 }, Robot("b", null) with { BytesPerSecond = 10, Online = false }, Robot("c", null) with { Attention = ["x"] },
        ];

        Assert.Equal(order, string.Join(',', new FleetFilter { Sort = sort }.InOrder(rows).Select(r => r.Robot)));
    }

    private static MapMarker Marker(FleetMap map, string robot) => map.Markers.Single(m => m.Robots[0].Robot == robot);

    private static GeoPosition At(double latitude, double longitude) => new(latitude, longitude, null, 1);

    private static FleetRow Robot(string id, GeoPosition? position) => new()
    {
        Robot = id,
        Online = true,
        LastSeenAt = null,
        Sessions = [],
        BytesPerSecond = null,
        DiskFreeBytes = null,
        DiskTotalBytes = null,
        BacklogBytes = null,
        UploadBytesPerSecond = null,
        Lost24h = 0,
        Attention = [],
        Position = position,
    };
}
