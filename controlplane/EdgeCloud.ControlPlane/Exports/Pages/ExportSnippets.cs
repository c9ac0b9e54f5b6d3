using EdgeCloud.Contracts;

namespace EdgeCloud.ControlPlane.Exports.Pages;

/// <summary>A piece of code to copy.</summary>
/// <param name="Name">What it is for.</param>
/// <param name="Code">The code.</param>
public sealed record Snippet(string Name, string Code);

/// <summary>Code that fetches the files of an export and loads them, with the names that they have.</summary>
public static class ExportSnippets
{
    /// <summary>The snippets of an export.</summary>
    /// <param name="portal">Address of the portal, without a slash at its end.</param>
    /// <param name="export">Export id.</param>
    /// <param name="folder">Name of the folder that the files go to.</param>
    /// <param name="format">Its format.</param>
    /// <param name="files">Paths of its data files, in order.</param>
    public static IReadOnlyList<Snippet> Of(string portal, Guid export, string folder, string format, IReadOnlyList<string> files)
    {
        var first = files.Count > 0 ? files[0] : "";
        var tables = files.Select(f => f.Split('/')[0]).Distinct(StringComparer.Ordinal).ToList();
        var table = tables.Count > 0 ? tables[0] : "*";
        var fetch = new Snippet("Download", $"""
            # EDGECLOUD_TOKEN is an API key: {portal}/account/keys
            curl -fsS -H "Authorization: Bearer $EDGECLOUD_TOKEN" -o {folder}.zip {portal}/api/v1/exports/{export}/zip
            unzip -q {folder}.zip -d {folder}
            """);
        return format switch
        {
            ExportFormats.Parquet =>
            [
                fetch,
                new("pandas", $"""
                    import pandas as pd

                    frame = pd.read_parquet("{folder}/{table}")
                    print(frame.describe())
                    """),
                new("DuckDB", $"""
                    select * from read_parquet('{folder}/{table}/**/*.parquet', hive_partitioning = true, union_by_name = true) limit 10;
                    """),
                new("PyTorch", $"""
                    import pandas as pd
                    import torch

                    frame = pd.read_parquet("{folder}/{table}").select_dtypes("number")
                    data = torch.utils.data.TensorDataset(torch.from_numpy(frame.to_numpy("float32")))
                    """),
            ],
            ExportFormats.Csv =>
            [
                fetch,
                new("pandas", $"""
                    import pandas as pd

                    frame = pd.read_csv("{folder}/{first}")
                    """),
                new("DuckDB", $"select * from read_csv('{folder}/{table}/**/*.csv', union_by_name = true) limit 10;"),
                new("PyTorch", $"""
                    import pandas as pd
                    import torch

                    frame = pd.read_csv("{folder}/{first}").select_dtypes("number")
                    data = torch.from_numpy(frame.to_numpy("float32"))
                    """),
            ],
            ExportFormats.JsonLines =>
            [
                fetch,
                new("pandas", $"""
                    import pandas as pd

                    frame = pd.read_json("{folder}/{first}", lines=True)
                    """),
                new("DuckDB", $"select * from read_json('{folder}/{table}/**/*.jsonl', format = 'newline_delimited') limit 10;"),
            ],
            ExportFormats.Numpy =>
            [
                fetch,
                new("NumPy", $"""
                    import numpy as np

                    arrays = np.load("{folder}/{first}")
                    print(arrays.files)
                    """),
                new("PyTorch", $"""
                    import numpy as np
                    import torch

                    arrays = np.load("{folder}/{first}")
                    tensors = [torch.from_numpy(arrays[n]) for n in arrays.files if arrays[n].dtype.kind in "fiu"]
                    """),
            ],
            ExportFormats.TfRecord =>
            [
                fetch,
                new("TensorFlow", $"""
                    import tensorflow as tf

                    for record in tf.data.TFRecordDataset("{folder}/{first}").take(1):
                        print(tf.train.Example.FromString(record.numpy()))
                    """),
            ],
            _ =>
            [
                fetch,
                new("Python", $"""
                    from mcap_ros2.reader import read_ros2_messages

                    for message in read_ros2_messages("{folder}/{first}"):
                        print(message.log_time, message.channel.topic)
                    """),
                new("ros2 bag", format == ExportFormats.Rosbag2 ? $"ros2 bag play {folder}" : $"ros2 bag play {folder}/{first}"),
            ],
        };
    }
}
