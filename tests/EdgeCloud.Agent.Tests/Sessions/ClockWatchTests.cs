using EdgeCloud.Agent.Sessions;

namespace EdgeCloud.Agent.Tests.Sessions;

public sealed class ClockWatchTests
{
    [Fact]
    public void A_clock_that_is_slewed_does_not_jump()
    {
        var clock = new SteppedClock();
        var watch = new ClockWatch(clock);
        clock.Pass(TimeSpan.FromSeconds(1), TimeSpan.FromMilliseconds(1000.5));
        Assert.Equal(0, watch.Look());
        clock.Pass(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(11));
        Assert.Equal(10_000_000_000, watch.Look());
        clock.Pass(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(-9));
        Assert.Equal(-10_000_000_000, watch.Look());
        clock.Pass(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
        Assert.Equal(0, watch.Look());
    }

    [Theory]
    [InlineData(3)] // now and then
    [InlineData(1000)] // always
    public void A_thread_that_is_held_up_while_it_looks_at_the_clocks_sees_no_jump(int times)
    {
        var clock = new SteppedClock { HeldUp = (times, TimeSpan.FromMilliseconds(300)) };
        var watch = new ClockWatch(clock);
        for (var look = 0; look < 5; look++)
        {
            clock.Pass(TimeSpan.FromSeconds(0.2), TimeSpan.FromSeconds(0.2));
            clock.HeldUp = clock.HeldUp with { Times = look % 2 == 0 ? times : 0 };
            Assert.Equal(0, watch.Look());
        }
        clock.HeldUp = clock.HeldUp with { Times = 0 };
        Assert.Equal(0, watch.Look());
        clock.HeldUp = clock.HeldUp with { Times = times };
        clock.Pass(TimeSpan.FromSeconds(0.2), TimeSpan.FromSeconds(0.4)); // a jump that is less than such a look may be wrong
        var first = watch.Look();
        clock.HeldUp = default;
        Assert.Equal(200_000_000, first + watch.Look());
    }

    /// <summary>A wall clock and a monotonic clock that go apart.</summary>
    private sealed class SteppedClock : TimeProvider
    {
        private DateTimeOffset _wall = DateTimeOffset.UnixEpoch.AddYears(50);
        private long _ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public void Pass(TimeSpan monotonic, TimeSpan wall)
        {
            _ticks += monotonic.Ticks;
            _wall += wall;
        }

        /// <summary>How often the thread is to be held up right after it read the wall clock, and for how long.</summary>
        public (int Times, TimeSpan For) HeldUp { get; set; }

        public override DateTimeOffset GetUtcNow()
        {
            var now = _wall;
            if (HeldUp.Times > 0)
            {
                HeldUp = HeldUp with { Times = HeldUp.Times - 1 };
                Pass(HeldUp.For, HeldUp.For);
            }
            return now;
        }

        public override long GetTimestamp() => _ticks;
    }
}
