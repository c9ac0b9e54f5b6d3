using EdgeCloud.Contracts;
using EdgeCloud.Export.DuckDb;
using EdgeCloud.Testing;
using YamlDotNet.RepresentationModel;

namespace EdgeCloud.Export.Tests;

public sealed class FormatTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string, string> Cases
    {
        get
        {
            var cases = new TheoryData<string, string>();
            foreach (var format in (string[])["csv", "jsonl", "numpy", "tfrecord", "parquet"])
            {
                foreach (var sample in (string[])["simulated", "awkward", "basic_types_zstd", "strings", "topics_and_services", "chatter_0"])
                    cases.Add(format, sample);
            }
            return cases;
        }
    }

    [Theory, MemberData(nameof(Cases))]
    public async Task Another_implementation_reads_every_value_as_it_was_recorded(string format, string sample)
    {
        SkipWithoutDuckDb(format);
        var file = Load(sample);
        var settings = new ExportSettings { Format = format, Selection = new() { Exclude = ["/damaged"] } };
        var manifest = await Samples.ExportAsync(file, await Samples.PlanAsync(file, settings), _folder["export"]);
        var typed = format == "tfrecord"
            ? await Samples.ExportAsync(file, await Samples.PlanAsync(file, settings with { Format = "numpy" }), _folder["types"])
            : manifest;

        var expected = await new ExpectedStreams(typed, roundsFloats: format == "tfrecord").OfAsync(file);
        var read = await ExportReaders.DigestsAsync(_folder["export"], format);

        // NumPy has the pixels without what pads their lines, and does not load what pads points; the next test but one looks at both.
        foreach (var image in (string[])["camera.image", "camera.depth", .. sample == "awkward" ? ["lidar"] : Array.Empty<string>()])
        {
            if (format != "numpy")
                continue;
            expected.Remove($"{image} data");
            expected.Remove($"{image} data#len");
            read.Remove($"{image} data");
            read.Remove($"{image} data#len");
        }
        Assert.NotEmpty(expected);
        Assert.Equal(string.Join('\n', expected.Except(read)), string.Join('\n', read.Except(expected)));
        Assert.Equal(expected.Count, read.Count);
    }

    [Theory]
    [InlineData("mcap")]
    [InlineData("rosbag2")]
    public async Task Mcap_files_hold_every_message_as_it_was_recorded(string format)
    {
        var file = Samples.Awkward;
        var manifest = await Samples.ExportAsync(file, await Samples.PlanAsync(file, new() { Format = format }), _folder["export"]);
        await File.WriteAllBytesAsync(_folder["source.mcap"], file);

        var files = manifest.Files.Where(f => f.Name.EndsWith(".mcap", StringComparison.Ordinal)).Select(f => _folder[$"export/{f.Name}"]);

        Assert.Equal(await ExportReaders.McapAsync(_folder["source.mcap"]), await ExportReaders.McapAsync(files));
    }

    [Fact]
    public async Task A_bag_says_what_rosbag2_asks_for()
    {
        var file = Samples.Simulated;
        var manifest = await Samples.ExportAsync(file, await Samples.PlanAsync(file, new() { Format = "rosbag2" }), _folder["export"]);
        var yaml = new YamlStream();
        yaml.Load(new StringReader(await File.ReadAllTextAsync(_folder["export/bag/metadata.yaml"])));
        var info = (YamlMappingNode)yaml.Documents[0].RootNode["rosbag2_bagfile_information"];

        // The keys of rosbag2_storage's metadata_io for version 9, each of which it demands.
        Assert.Equal(
            ["version", "storage_identifier", "duration", "starting_time", "message_count", "topics_with_message_count", "compression_format", "compression_mode", "relative_file_paths", "files", "custom_data", "ros_distro"],
            info.Children.Keys.Select(k => k.ToString()));
        Assert.Equal("9", info["version"].ToString());
        Assert.Equal("mcap", info["storage_identifier"].ToString());
        Assert.Equal(manifest.Topics.Sum(t => t.Messages + t.Repeats), long.Parse(info["message_count"].ToString()));
        var topics = ((YamlSequenceNode)info["topics_with_message_count"]).Children;
        Assert.Equal(manifest.Topics.Select(t => (t.Topic, t.Messages + t.Repeats)), topics.Select(t => (t["topic_metadata"]["name"].ToString(), long.Parse(t["message_count"].ToString()))));
        var imu = topics.Single(t => t["topic_metadata"]["name"].ToString() == "/imu/data")["topic_metadata"];
        Assert.Equal(["name", "type", "serialization_format", "offered_qos_profiles", "type_description_hash"], ((YamlMappingNode)imu).Children.Keys.Select(k => k.ToString()));
        var profile = (YamlMappingNode)((YamlSequenceNode)imu["offered_qos_profiles"]).Children[0];
        Assert.Equal(("keep_last", "best_effort", "volatile", "automatic"), (profile["history"].ToString(), profile["reliability"].ToString(), profile["durability"].ToString(), profile["liveliness"].ToString()));
        var part = (YamlMappingNode)((YamlSequenceNode)info["files"]).Children[0];
        Assert.Equal(["path", "starting_time", "duration", "message_count"], part.Children.Keys.Select(k => k.ToString()));
        Assert.True(File.Exists(_folder[$"export/bag/{part["path"]}"]));
    }

    [Theory]
    [InlineData("mcap")]
    [InlineData("rosbag2")]
    [InlineData("parquet")]
    [InlineData("csv")]
    [InlineData("jsonl")]
    [InlineData("numpy")]
    [InlineData("tfrecord")]
    public async Task The_same_plan_gives_the_same_files_byte_for_byte(string format)
    {
        SkipWithoutDuckDb(format);
        var file = Samples.Awkward;
        var plan = await Samples.PlanAsync(file, new() { Format = format });
        var first = await Samples.ExportAsync(file, plan, _folder["first"]);
        var second = await Samples.ExportAsync(file, plan with { Id = Guid.NewGuid() }, _folder["second"]);

        Assert.Equal(plan.Hash(), second.PlanHash);
        Assert.Equal(first.Files, second.Files);
    }

    [Fact]
    public async Task A_message_that_cannot_be_decoded_is_a_row_without_values_and_is_named()
    {
        var file = Samples.Awkward;
        var manifest = await Samples.ExportAsync(file, await Samples.PlanAsync(file, new() { Format = "csv", Selection = new() { Include = ["/damaged"] } }), _folder["export"]);

        var topic = Assert.Single(manifest.Topics);
        Assert.Equal((40, 1), (topic.Messages, topic.Undecoded));
        Assert.Contains("topic /damaged, message with log time 1700000000650000000 and sequence 13", topic.Error);
        var line = (await File.ReadAllTextAsync(_folder["export/damaged.csv"])).Split("\r\n").Single(l => l.StartsWith("1700000000650000000,", StringComparison.Ordinal));
        Assert.Matches("^1700000000650000000,1700000000650000000,13,[^1-9a-z]*$", line);
    }

    [Fact]
    public async Task NumPy_says_for_each_row_whether_a_field_has_a_value_lists_included()
    {
        var file = Samples.Awkward;
        await Samples.ExportAsync(file, await Samples.PlanAsync(file, new() { Format = "numpy", Selection = new() { Include = ["/damaged"] } }), _folder["export"]);

        var said = await ExportReaders.PythonAsync("-c", $$"""
            import numpy
            table = numpy.load({{'"' + _folder["export/damaged.npz"] + '"'}})
            valid = {n[:-7]: table[n] for n in table.files if n.endswith("__valid")}
            for name, rows in valid.items():
                assert rows.shape == (40,) and numpy.flatnonzero(~rows).tolist() == [13], (name, rows.shape)
            print(" ".join(sorted(valid)))
            """);
        Assert.Equal("big bigger blob names number shapes signed_bytes small three when wide yes", said.Trim());
    }

    [Fact]
    public async Task Images_are_arrays_of_their_shape_and_files_that_other_programs_open()
    {
        var file = Samples.Awkward;
        await Samples.ExportAsync(file, await Samples.PlanAsync(file, new() { Format = "numpy", Selection = new() { Include = ["/camera/*", "/lidar"] } }), _folder["export"]);
        foreach (var images in (ImageFiles[])[ImageFiles.Png, ImageFiles.Jpeg, ImageFiles.Raw])
        {
            var settings = new ExportSettings { Format = "csv", Images = images, PointClouds = images == ImageFiles.Png ? CloudFiles.Pcd : CloudFiles.Ply };
            await Samples.ExportAsync(file, await Samples.PlanAsync(file, settings), _folder[images.ToString()]);
        }

        var said = await ExportReaders.PythonAsync("-c", $$"""
            import csv, numpy, struct
            from PIL import Image
            folder = {{'"' + _folder.Path + '"'}}
            table = numpy.load(folder + "/export/camera.image.npz")
            depth = numpy.load(folder + "/export/camera.depth.npz")["data"]
            clouds = numpy.load(folder + "/export/lidar.npz")
            bgr = table["data"]
            assert bgr.shape == (40, 6, 5, 3) and bgr.dtype == numpy.uint8, (bgr.shape, bgr.dtype)
            assert depth.shape == (40, 4, 3) and depth.dtype == numpy.dtype("<u2")
            row = [(3 + (2 * 21 + x) * 7) % 256 for x in range(15)]
            assert bgr[3, 2].ravel().tolist() == row
            names = [r["file"] for r in csv.DictReader(open(folder + "/Png/camera.image.csv"))]
            assert len(names) == 40 and names[3].endswith(".png")
            for i, name in enumerate(names):
                png = numpy.asarray(Image.open(folder + "/Png/" + name))
                assert (png == bgr[i][:, :, ::-1]).all()
                jpeg = numpy.asarray(Image.open(folder + "/Jpeg/" + name.replace(".png", ".jpg"))).astype(int)
                assert jpeg.shape == png.shape, jpeg.shape
                raw = open(folder + "/Raw/" + name.replace(".png", ".raw"), "rb").read()
                assert raw == bgr[i].tobytes()
            deep = [r["file"] for r in csv.DictReader(open(folder + "/Png/camera.depth.csv"))]
            assert (numpy.asarray(Image.open(folder + "/Png/" + deep[7])) == depth[7]).all()
            offsets, points = clouds["data__offsets"], clouds["data"]
            for i, r in enumerate(csv.DictReader(open(folder + "/Png/lidar.csv"))):
                cloud = points[offsets[i]:offsets[i + 1]]
                header, body = open(folder + "/Png/" + r["file"], "rb").read().split(b"DATA binary\n")
                head = dict(line.split(" ", 1) for line in header.decode().splitlines() if not line.startswith("#"))
                assert head["FIELDS"] == "x y z _ ring _" and head["SIZE"] == "4 4 4 1 2 1" and head["COUNT"] == "1 1 1 4 1 2", head
                points_of_file = numpy.frombuffer(body, dtype=cloud.dtype)
                assert int(head["POINTS"]) == len(cloud) == len(points_of_file) == (i % 5)
                assert all((points_of_file[n] == cloud[n]).all() for n in ("x", "y", "z", "ring"))
                assert cloud["ring"].tolist() == list(range(i % 5)) and cloud["x"].tolist() == [1.5 * n for n in range(i % 5)]
                header, body = open(folder + "/Jpeg/" + r["file"].replace(".pcd", ".ply"), "rb").read().split(b"end_header\n")
                packed = numpy.frombuffer(body, dtype=[("x", "<f4"), ("y", "<f4"), ("z", "<f4"), ("ring", "<u2")])
                assert f"element vertex {len(cloud)}".encode() in header
                assert all((packed[n] == cloud[n]).all() for n in ("x", "y", "z", "ring"))
            print("all fits")
            """);
        Assert.Equal("all fits", said.Trim());
    }

    [Theory]
    [InlineData("mcap", "recording.mcap")]
    [InlineData("rosbag2", "bag/bag_0.mcap")]
    public async Task Files_beside_a_recording_are_those_that_stand_beside_a_table(string format, string recording)
    {
        var file = Samples.Awkward;
        var plain = await Samples.ExportAsync(file, await Samples.PlanAsync(file, new() { Format = format }), _folder["plain"]);
        ExportSettings settings = new() { Format = format, Images = ImageFiles.Png, PointClouds = CloudFiles.Pcd };
        var manifest = await Samples.ExportAsync(file, await Samples.PlanAsync(file, settings), _folder["export"]);
        var tables = await Samples.ExportAsync(
            file, await Samples.PlanAsync(file, new() { Format = "csv", Images = ImageFiles.Png, PointClouds = CloudFiles.Pcd }), _folder["csv"]);

        Assert.Equal(Media(tables), Media(manifest));
        Assert.Equal(120, Media(manifest).Count);
        Assert.All(Media(manifest), f => Assert.True(File.Exists(_folder[$"export/{f.Name}"])));
        Assert.Equal(plain.Files.Single(f => f.Name == recording).Rows, manifest.Files.Single(f => f.Name == recording).Rows);
        if (format == "rosbag2")
            Assert.Equal(await File.ReadAllTextAsync(_folder["plain/bag/metadata.yaml"]), await File.ReadAllTextAsync(_folder["export/bag/metadata.yaml"]));

        static List<(string Name, string Sha256)> Media(ExportManifest manifest) =>
            [.. manifest.Files.Where(f => f.Name.Contains("/_files/", StringComparison.Ordinal)).Select(f => (f.Name, f.Sha256)).Order()];
    }

    [Theory]
    [InlineData("parquet", false)]
    [InlineData("parquet", true)]
    [InlineData("csv", true)]
    public async Task Files_beside_tables_have_names_of_their_own_where_no_reader_of_the_dataset_looks(string format, bool isAligned)
    {
        SkipWithoutDuckDb(format);
        var file = Samples.Awkward;
        var plan = await Samples.PlanAsync(file, new()
        {
            Format = format,
            Selection = new() { Include = ["/camera/image"] },
            Images = ImageFiles.Raw,
            Alignment = isAligned ? new() { MasterTopic = "/camera/image" } : null,
        });
        // Two robots that saw something at the same times.
        var other = plan.Sessions[0] with { Id = Recording.Session(8), Robot = "amr-02" };
        plan = plan with { Sessions = [plan.Sessions[0], other with { Segments = [.. other.Segments.Select(s => s with { Session = other.Id })] }] };

        var manifest = await Samples.ExportAsync(file, plan, _folder["export"]);

        var images = manifest.Files.Where(f => f.Name.EndsWith(".raw", StringComparison.Ordinal)).Select(f => f.Name).ToList();
        Assert.Equal(80, images.Distinct().Count());
        Assert.All(images, name => Assert.StartsWith("camera.image/_files/", name));
        Assert.All(images, name => Assert.True(File.Exists(_folder[$"export/{name}"])));
    }

    [Theory]
    [InlineData("tfrecord", 1)]
    [InlineData("tfrecord", 2)]
    [InlineData("parquet", 1)]
    [InlineData("jsonl", 2)]
    public async Task An_aligned_export_describes_its_table_and_not_the_topics_that_it_was_made_of(string format, int sessions)
    {
        SkipWithoutDuckDb(format);
        var file = Samples.Simulated;
        var plan = await Samples.PlanAsync(file, new()
        {
            Format = format,
            Selection = new() { Include = ["/imu/data", "/odom"] },
            Alignment = new() { RateHz = 20, Method = AlignmentMethod.Nearest },
        });
        var other = plan.Sessions[0] with { Id = Recording.Session(8), Robot = "amr-02" };
        plan = plan with { Sessions = [.. plan.Sessions, .. sessions == 1 ? [] : new[] { other with { Segments = [.. other.Segments.Select(s => s with { Session = other.Id })] } }] };

        var manifest = await Samples.ExportAsync(file, plan, _folder["export"]);

        Assert.Equal(sessions, manifest.Tables.Count);
        Assert.Equal(manifest.Tables.Select(t => t.Name).Order(), manifest.Files.Where(f => f.Rows > 0).Select(f => f.Table).Distinct().Order());
        Assert.All(manifest.Tables, t => Assert.Contains($"`{t.Name}`", File.ReadAllText(_folder["export/README.md"])));
        Assert.All(manifest.Tables, t => Assert.Equal(["time", "imu.data.valid"], t.Columns.Take(2).Select(c => c.Name)));
        Assert.All(manifest.Topics, t => Assert.Empty(t.Columns));
        if (format == "tfrecord")
            Assert.Equal(manifest.Tables.Select(t => $"{t.Name}.features.json").Order(), manifest.Files.Where(f => f.Name.EndsWith(".json", StringComparison.Ordinal)).Select(f => f.Name).Order());
        // The readers demand that the columns of every row are those that are described.
        var digests = await ExportReaders.DigestsAsync(_folder["export"], format);
        Assert.All(manifest.Tables, t => Assert.Contains($"{t.Name} odom.pose.pose.position.x", digests.Keys));
    }

    [Fact]
    public async Task A_jpeg_shows_what_the_camera_saw()
    {
        // A smooth picture, which JPEG hardly changes.
        var pixels = new byte[37 * 50 * 3];
        for (var i = 0; i < pixels.Length; i++)
            pixels[i] = (byte)(i % 3 == 0 ? 4 * (i / 3 % 50) : i % 3 == 1 ? 6 * (i / 150) : 128);
        await using (var file = File.Create(_folder["picture.jpg"]))
            Media.JpegEncoder.Write(file, pixels, 50, 37, 3);
        await File.WriteAllBytesAsync(_folder["picture.raw"], pixels);

        var said = await ExportReaders.PythonAsync("-c", $$"""
            import numpy
            from PIL import Image
            folder = {{'"' + _folder.Path + '"'}}
            seen = numpy.asarray(Image.open(folder + "/picture.jpg")).astype(int)
            meant = numpy.frombuffer(open(folder + "/picture.raw", "rb").read(), dtype="uint8").reshape(37, 50, 3)
            print(seen.shape, abs(seen - meant).max() <= 12)
            """);
        Assert.Equal("(37, 50, 3) True", said.Trim());
    }

    private static byte[] Load(string sample) => sample switch
    {
        "simulated" => Samples.Simulated,
        "awkward" => Samples.Awkward,
        _ => File.ReadAllBytes(TestData.Path($"rosbag2/{sample}.mcap")),
    };

    private static void SkipWithoutDuckDb(string format)
    {
        if (format == "parquet" && NativeDuckDb.FindLibrary() is null)
            Assert.Skip("DuckDB's library, which writes Parquet, is not there; infra/duckdb fetches it.");
    }
}
