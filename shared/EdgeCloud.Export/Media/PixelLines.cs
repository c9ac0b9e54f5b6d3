using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace EdgeCloud.Export.Media;

/// <summary>Lines of pixels as image files want them: grey, RGB or RGBA, samples of 16 bits big-endian.</summary>
internal static class PixelLines
{
    /// <summary>Samples of a converted pixel.</summary>
    public static int Channels(PixelFormat format) => format.Order is PixelOrder.Uyvy or PixelOrder.Yuyv ? 3 : format.Channels;

    /// <summary>Converts a line; the target has exactly its length.</summary>
    public static void Convert(ReadOnlySpan<byte> line, in ImageMessage image, Span<byte> target)
    {
        if (image.Format.Order is PixelOrder.Uyvy or PixelOrder.Yuyv)
        {
            ConvertYuv(line, image.Format.Order == PixelOrder.Uyvy ? 1 : 0, target);
            return;
        }
        line.CopyTo(target);
        if (image.Format.SampleBytes == 2 && !image.IsBigEndian)
        {
            var samples = MemoryMarshal.Cast<byte, ushort>(target);
            BinaryPrimitives.ReverseEndianness(samples, samples);
        }
        if (image.Format.Order != PixelOrder.Bgr)
            return;
        if (image.Format.SampleBytes == 1)
            SwapRedAndBlue(target, image.Format.Channels);
        else
            SwapRedAndBlue(MemoryMarshal.Cast<byte, ushort>(target), image.Format.Channels);
    }

    private static void SwapRedAndBlue<T>(Span<T> samples, int channels)
    {
        for (var i = 0; i + channels <= samples.Length; i += channels)
            (samples[i], samples[i + 2]) = (samples[i + 2], samples[i]);
    }

    /// <summary>ITU-R BT.601, limited range, as OpenCV converts camera images.</summary>
    private static void ConvertYuv(ReadOnlySpan<byte> line, int luma, Span<byte> target)
    {
        var at = 0;
        for (var i = 0; i + 4 <= line.Length && at + 6 <= target.Length; i += 4)
        {
            double u = line[i + 1 - luma] - 128, v = line[i + 3 - luma] - 128;
            for (var pixel = 0; pixel < 2; pixel++)
            {
                var y = 1.164 * (line[i + luma + 2 * pixel] - 16);
                target[at++] = Clamp(y + 1.596 * v);
                target[at++] = Clamp(y - 0.813 * v - 0.391 * u);
                target[at++] = Clamp(y + 2.018 * u);
            }
        }
        target[at..].Clear();
    }

    private static byte Clamp(double value) => (byte)Math.Clamp(Math.Round(value), 0, 255);
}
