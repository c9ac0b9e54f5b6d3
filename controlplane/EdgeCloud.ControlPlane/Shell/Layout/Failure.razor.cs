namespace EdgeCloud.ControlPlane.Shell.Layout;

public partial class Failure
{
    [LoggerMessage(EventId = 6000, Level = LogLevel.Error, Message = "A page failed ({Id})")]
    private static partial void PageFailed(ILogger log, string id, Exception error);
}
