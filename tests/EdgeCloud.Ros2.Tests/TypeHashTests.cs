using EdgeCloud.Ros2.Definitions;
using EdgeCloud.Ros2.TypeHashes;
using EdgeCloud.Testing;

namespace EdgeCloud.Ros2.Tests;

public class TypeHashTests
{
    // Announced by ROS 2 itself: values that ROS 2 distributions print for these types (jazzy).
    [Theory]
    [InlineData("builtin_interfaces/msg/Time", "b106235e25a4c5ed35098aa0a61a3ee9c9b18d197f398b0e4206cea9acf9c197")]
    [InlineData("std_msgs/msg/String", "df668c740482bbd48fb39d76a70dfd4bd59db1288021743503259e948f6b1a18")]
    [InlineData("std_msgs/msg/Header", "f49fb3ae2cf070f793645ff749683ac6b06203e41c891e17701b1cb597ce6a01")]
    [InlineData("std_msgs/msg/Float32", "7170d3d8f841f7be3172ce5f4f59f3a4d7f63b0447e8b33327601ad64d83d6e2")]
    [InlineData("rosgraph_msgs/msg/Clock", "692f7a66e93a3c83e71765d033b60349ba68023a8c689a79e48078bcb5c58564")]
    [InlineData("sensor_msgs/msg/CameraInfo", "b3dfd68ff46c9d56c80fd3bd4ed22c7a4ddce8c8348f2f59c299e73118e7e275")]
    [InlineData("sensor_msgs/msg/Image", "d31d41a9a4c4bc8eae9be757b0beed306564f7526c88ea6a4588fb9582527d47")]
    [InlineData("sensor_msgs/msg/Imu", "7d9a00ff131080897a5ec7e26e315954b8eae3353c3f995c55faf71574000b5b")]
    [InlineData("sensor_msgs/msg/NavSatFix", "62223ab3fe210a15976021da7afddc9e200dc9ec75231c1b6a557fc598a65404")]
    [InlineData("sensor_msgs/msg/PointCloud2", "9198cabf7da3796ae6fe19c4cb3bdd3525492988c70522628af5daa124bae2b5")]
    [InlineData("sensor_msgs/msg/PointField", "5c6a4750728c2bcfbbf7037225b20b02d4429634732146b742dee1726637ef01")]
    [InlineData("sensor_msgs/msg/RegionOfInterest", "ad16bcba5f9131dcdba6fbded19f726f5440e3c513b4fb586dd3027eeed8abb1")]
    [InlineData("geometry_msgs/msg/Point32", "2fc4db7cae16a4582c79a56b66173a8d48d52c7dc520ddc55a0d4bcf2a4bfdbc")]
    [InlineData("geometry_msgs/msg/PoseStamped", "10f3786d7d40fd2b54367835614bff85d4ad3b5dab62bf8bca0cc232d73b4cd8")]
    [InlineData("geometry_msgs/msg/PoseWithCovarianceStamped", "26432f9803e43727d3c8f668d1fdb3c630f548af631e2f4e31382371bfea3b6e")]
    [InlineData("geometry_msgs/msg/TwistStamped", "5f0fcd4f81d5d06ad9b4c4c63e3ea51b82d6ae4d0558f1d475229b1121db6f64")]
    [InlineData("nav_msgs/msg/Odometry", "3cc97dc7fb7502f8714462c526d369e35b603cfc34d946e3f2eda2766dfec6e0")]
    [InlineData("tf2_msgs/msg/TF2Error", "db2485e7d6a0ec75bf087e058ee45df682acc3a621ca7780503d10aac141809a")]
    [InlineData("tf2_msgs/msg/TFMessage", "e369d0f05a23ae52508854b66f6aa0437f3449d652e8cbf22d5abe85d020f087")]
    [InlineData("rcl_interfaces/msg/Log", "e28ce254ca8abc06abf92773b74602cdbf116ed34fbaf294fb9f81da9f318eac")]
    [InlineData("rcl_interfaces/msg/ParameterEvent", "043e627780fcad87a22d225bc2a037361dba713fca6a6b9f4b869a5aa0393204")]
    public void The_hash_of_a_definition_is_the_one_that_ROS_2_announces(string type, string hash)
    {
        SchemaText text = new DefinitionFolders([TestData.Path("ros2-msgs")]).Find(type)!;
        Assert.Equal("RIHS01_" + hash, TypeHash.Compute(MessageSchema.Parse(type, text.Encoding, text.Text)));
    }

    // Values from recordings that rosbag2 made: the text is what their schema records hold.
    [Theory]
    [InlineData("example_interfaces/srv/AddTwoInts_Event", "int64 a\nint64 b\n---\nint64 sum\n", "32c1d140259c71e5c355115942bcb31df98b4330e4d906b1b75ccb1c9b3ce6c8")]
    [InlineData("rosbag2_interfaces/msg/WriteSplitEvent", "string closed_file\nstring opened_file\n", "5ef58f7106a5cff8f5a794028c18117ee21015850ddcc567df449f41932960f8")]
    [InlineData("test_msgs/srv/BasicTypes_Event", BasicTypes + "---\n" + BasicTypes, "5b9988a4805a06ae22dff12903a774ccda710e9514926b826ffc884e3a9a982e")]
    [InlineData("test_msgs/msg/Strings", Strings, "eee55533636293ac7c94c62432eedb5777eb849847d2a17b4dcead8c4a20ab32")]
    public void The_hash_of_a_recorded_schema_is_the_one_in_its_channel(string type, string text, string hash) =>
        Assert.Equal("RIHS01_" + hash, TypeHash.Compute(MessageSchema.Parse(type, "ros2msg", text)));

    private const string BasicTypes =
        "bool bool_value\nbyte byte_value\nchar char_value\nfloat32 float32_value\nfloat64 float64_value\nint8 int8_value\n"
        + "uint8 uint8_value\nint16 int16_value\nuint16 uint16_value\nint32 int32_value\nuint32 uint32_value\n"
        + "int64 int64_value\nuint64 uint64_value\nstring string_value\n";

    private const string Strings =
        """
        string string_value
        string string_value_default1 "Hello world!"
        string string_value_default2 "Hello'world!"
        string string_value_default3 'Hello"world!'
        string string_value_default4 'Hello\'world!'
        string string_value_default5 "Hello\"world!"
        string STRING_CONST="Hello world!"
        string<=22 bounded_string_value
        string<=22 bounded_string_value_default1 "Hello world!"
        string<=22 bounded_string_value_default2 "Hello'world!"
        string<=22 bounded_string_value_default3 'Hello"world!'
        string<=22 bounded_string_value_default4 'Hello\'world!'
        string<=22 bounded_string_value_default5 "Hello\"world!"

        """;
}
