using EdgeCloud.Benchmarks;
using EdgeCloud.Benchmarks.Dds;
using EdgeCloud.Benchmarks.Exports;
using EdgeCloud.Benchmarks.Upload;
using EdgeCloud.Benchmarks.Wal;

var benchmarks = new Dictionary<string, Func<string[], Task<int>>>
{
    ["cdr"] = CdrBenchmark.RunAsync,
    ["dds"] = DdsBenchmark.RunAsync,
    ["export"] = ExportBenchmark.RunAsync,
    ["export-s3"] = ExportS3Benchmark.RunAsync,
    ["mcap"] = McapBenchmark.RunAsync,
    ["preview"] = PreviewBenchmark.RunAsync,
    ["upload"] = UploadBenchmark.RunAsync,
    ["wal"] = WalBenchmark.RunAsync,
};
// What runs the agent's code in this process runs it with the settings of the agent's own project.
if (args is ["upload" or "wal", ..] && AgentRuntime.IsOther)
    return AgentRuntime.Again(args);
if (args.Length > 0 && benchmarks.TryGetValue(args[0], out var run))
    return await run(args[1..]) is not 0 and var code ? code : Targets.Report();
Console.Error.WriteLine($"usage: EdgeCloud.Benchmarks {string.Join('|', benchmarks.Keys)}");
return 2;
