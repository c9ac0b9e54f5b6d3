namespace EdgeCloud.Export;

/// <summary>How far an export is.</summary>
/// <param name="InputBytesDone">Bytes of segments that are read.</param>
/// <param name="Messages">Messages written, repeats of latched messages excluded.</param>
/// <param name="Bytes">Bytes written.</param>
public readonly record struct ExportProgress(long InputBytesDone, long Messages, long Bytes);
