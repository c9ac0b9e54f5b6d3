using System.CommandLine;
using EdgeCloud.Cli.Mcap;
using EdgeCloud.Contracts;
using EdgeCloud.Export;

namespace EdgeCloud.Cli.Export;

/// <summary><c>export</c>: files as a dataset, without a server.</summary>
internal static class ExportCommand
{
    public static Command Build()
    {
        var files = McapFiles.Arguments();
        var output = new Option<string>("--output", "-o") { Description = "Folder to make; it must be empty or not there", Required = true };
        var robot = new Option<string>("--robot") { Description = "Name of the robot that the files are from", DefaultValueFactory = _ => "local" };
        var settings = new SettingOptions();
        var command = new Command("export", "Make a dataset of MCAP files: Parquet, CSV, NumPy, TFRecord, ... (they count as one recording)") { files, output, robot };
        settings.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            var folder = parsed.GetRequiredValue(output);
            var name = parsed.GetRequiredValue(robot);
            var wanted = settings.Of(parsed);
            if (!RobotId.IsValid(name))
                throw new CliException($"--robot: '{name}' is no robot id; use small letters, digits and dashes, up to 63.", ExitCodes.Usage);
            if (File.Exists(folder) || (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any()))
                throw new CliException($"{folder} is not an empty folder; name another.", ExitCodes.Usage);
            var manifest = await RunAsync(parsed.GetRequiredValue(files), name, wanted, folder, cancellation);
            Console.WriteLine(InWords(manifest, folder));
            foreach (var topic in manifest.Topics.Where(t => t.Error.Length > 0))
                Console.Error.WriteLine(topic.Undecoded > 0 ? $"{topic.Undecoded} messages could not be decoded, first {topic.Error}" : $"{topic.Topic}: {topic.Error}");
            foreach (var problem in manifest.Notes.Concat(manifest.Problems))
                Console.Error.WriteLine(problem);
        });
        return command;
    }

    private static async Task<ExportManifest> RunAsync(
        string[] files, string robot, ExportSettings settings, string folder, CancellationToken cancellation)
    {
        var plan = await LocalPlan.OfAsync(files, robot, settings, cancellation);
        var scratch = Path.Combine(folder, ".scratch");
        Directory.CreateDirectory(scratch);
        var isWhole = false;
        try
        {
            var exporter = new Exporter(plan, async (segment, stop) => await McapFiles.OpenSourceAsync(segment.Key, stop), scratch);
            var sink = new FolderSink(folder);
            var results = new List<PartResult>();
            foreach (var part in plan.Parts())
                results.Add(await exporter.MakePartAsync(part, sink, progress: null, cancellation));
            var manifest = await exporter.AssembleAsync(results, DateTimeOffset.UtcNow, sink, cancellation);
            isWhole = true;
            return manifest;
        }
        catch (ExportException e)
        {
            throw new CliException(e.Message, inner: e);
        }
        finally
        {
            // The folder was empty or not there: what is in it is a part of something that did not come to be.
            Directory.Delete(isWhole ? scratch : folder, recursive: true);
        }
    }

    private static string InWords(ExportManifest manifest, string folder)
    {
        var topics = manifest.Topics.Select(t => t.Topic).Distinct().Count();
        return $"{Output.Count(manifest.Topics.Sum(t => t.Messages))} messages of {topics} topics: {manifest.Files.Count} files, {Output.Bytes(manifest.Files.Sum(f => f.Bytes))} in {folder}"
            + (manifest.Complete ? "" : " (not complete, see manifest.json)");
    }
}
