using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace EdgeCloud.Agent.Wal;

/// <summary>
/// MD5 (RFC 1321) of eight messages side by side, each in a lane of the vectors. One MD5 is a single chain of dependent steps that leaves most of
/// a core idle; eight of them take little longer than one.
/// </summary>
internal unsafe struct Md5Lanes
{
    /// <summary>Messages side by side.</summary>
    public const int Count = 8;

    /// <summary>Bytes that are hashed in one go.</summary>
    public const int BlockBytes = 64;

    /// <summary>Bytes of a hash.</summary>
    public const int HashBytes = 16;

    private const int LengthBytes = 8;

    private Vector256<uint> _a = Vector256.Create(0x67452301u);
    private Vector256<uint> _b = Vector256.Create(0xefcdab89u);
    private Vector256<uint> _c = Vector256.Create(0x98badcfeu);
    private Vector256<uint> _d = Vector256.Create(0x10325476u);

    /// <summary>Eight messages of which nothing was added.</summary>
    public Md5Lanes()
    {
    }

    /// <summary>floor(2^32 * |sin(i + 1)|), RFC 1321 section 3.4.</summary>
    private static ReadOnlySpan<uint> Sines =>
    [
        0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
        0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
        0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
        0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
        0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
        0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
        0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
        0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
    ];

    /// <summary>Adds as many whole blocks to every message.</summary>
    /// <param name="lanes">Where the next bytes of each of the eight messages are.</param>
    /// <param name="blocks">Blocks of <see cref="BlockBytes"/>.</param>
    public void Add(byte** lanes, int blocks)
    {
        var w = stackalloc Vector256<uint>[16];
        var (a, b, c, d) = (_a, _b, _c, _d);
        fixed (uint* sines = Sines)
        {
            for (var at = 0; blocks > 0; blocks--, at += BlockBytes)
            {
                for (var i = 0; i < 16; i++) w[i] = Word(lanes, at + 4 * i);
                var (a0, b0, c0, d0) = (a, b, c, d);
                // What depends on the newest of the four words comes last: the chain of those is what takes the time.
                for (var i = 0; i < 16; i += 4)
                {
                    a = Turn(a + w[i] + Vector256.Create(sines[i]) + (d ^ (b & (c ^ d))), 7) + b;
                    d = Turn(d + w[i + 1] + Vector256.Create(sines[i + 1]) + (c ^ (a & (b ^ c))), 12) + a;
                    c = Turn(c + w[i + 2] + Vector256.Create(sines[i + 2]) + (b ^ (d & (a ^ b))), 17) + d;
                    b = Turn(b + w[i + 3] + Vector256.Create(sines[i + 3]) + (a ^ (c & (d ^ a))), 22) + c;
                }

                for (var i = 16; i < 32; i += 4)
                {
                    // The halves of (b & d) | (c & ~d) have no bit in common: they can be added.
                    a = Turn(a + w[(5 * i + 1) & 15] + Vector256.Create(sines[i]) + Vector256.AndNot(c, d) + (b & d), 5) + b;
                    d = Turn(d + w[(5 * i + 6) & 15] + Vector256.Create(sines[i + 1]) + Vector256.AndNot(b, c) + (a & c), 9) + a;
                    c = Turn(c + w[(5 * i + 11) & 15] + Vector256.Create(sines[i + 2]) + Vector256.AndNot(a, b) + (d & b), 14) + d;
                    b = Turn(b + w[(5 * i + 16) & 15] + Vector256.Create(sines[i + 3]) + Vector256.AndNot(d, a) + (c & a), 20) + c;
                }

                for (var i = 32; i < 48; i += 4)
                {
                    a = Turn(a + w[(3 * i + 5) & 15] + Vector256.Create(sines[i]) + (b ^ (c ^ d)), 4) + b;
                    d = Turn(d + w[(3 * i + 8) & 15] + Vector256.Create(sines[i + 1]) + (a ^ (b ^ c)), 11) + a;
                    c = Turn(c + w[(3 * i + 11) & 15] + Vector256.Create(sines[i + 2]) + (d ^ (a ^ b)), 16) + d;
                    b = Turn(b + w[(3 * i + 14) & 15] + Vector256.Create(sines[i + 3]) + (c ^ (d ^ a)), 23) + c;
                }

                for (var i = 48; i < 64; i += 4)
                {
                    a = Turn(a + w[7 * i & 15] + Vector256.Create(sines[i]) + (c ^ (b | ~d)), 6) + b;
                    d = Turn(d + w[(7 * i + 7) & 15] + Vector256.Create(sines[i + 1]) + (b ^ (a | ~c)), 10) + a;
                    c = Turn(c + w[(7 * i + 14) & 15] + Vector256.Create(sines[i + 2]) + (a ^ (d | ~b)), 15) + d;
                    b = Turn(b + w[(7 * i + 21) & 15] + Vector256.Create(sines[i + 3]) + (d ^ (c | ~a)), 21) + c;
                }

                a += a0;
                b += b0;
                c += c0;
                d += d0;
            }
        }

        (_a, _b, _c, _d) = (a, b, c, d);
    }

    /// <summary>The hash of one message. The lanes stay as they are.</summary>
    /// <param name="lane">Which.</param>
    /// <param name="rest">Its last bytes, which are no whole block.</param>
    /// <param name="bytes">All its bytes.</param>
    /// <param name="hash">Gets <see cref="HashBytes"/>.</param>
    public readonly void Finish(int lane, ReadOnlySpan<byte> rest, long bytes, Span<byte> hash)
    {
        var end = stackalloc byte[2 * BlockBytes];
        var blocks = rest.Length + 1 + LengthBytes <= BlockBytes ? 1 : 2;
        var padded = new Span<byte>(end, blocks * BlockBytes);
        padded.Clear();
        rest.CopyTo(padded);
        padded[rest.Length] = 0x80;
        BinaryPrimitives.WriteUInt64LittleEndian(padded[^LengthBytes..], (ulong)bytes * 8);
        var lanes = stackalloc byte*[Count];
        for (var i = 0; i < Count; i++) lanes[i] = end;
        var ended = this;
        ended.Add(lanes, blocks);
        BinaryPrimitives.WriteUInt32LittleEndian(hash, ended._a[lane]);
        BinaryPrimitives.WriteUInt32LittleEndian(hash[4..], ended._b[lane]);
        BinaryPrimitives.WriteUInt32LittleEndian(hash[8..], ended._c[lane]);
        BinaryPrimitives.WriteUInt32LittleEndian(hash[12..], ended._d[lane]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Turn(Vector256<uint> x, int bits) => x << bits | x >>> 32 - bits;

    /// <summary>The word at an offset of each message.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Word(byte** lanes, int at) => Vector256.Create(
        *(uint*)(lanes[0] + at), *(uint*)(lanes[1] + at), *(uint*)(lanes[2] + at), *(uint*)(lanes[3] + at),
        *(uint*)(lanes[4] + at), *(uint*)(lanes[5] + at), *(uint*)(lanes[6] + at), *(uint*)(lanes[7] + at));
}
