using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace EdgeCloud.Agent.Wal;

/// <summary>
/// MD5 (RFC 1321) of eight messages side by side, each in a lane of the vectors. One MD5 is a single chain of dependent steps that leaves most of
/// a core idle; as many as a vector has lanes take little longer than one.
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

    // Eight lanes, or twice four: vectors that the processor does not have are slow.
    private Md5State<Words8> _all = new();
    private Md5State<Words4> _first = new();
    private Md5State<Words4> _second = new();

    /// <summary>Eight messages of which nothing was added.</summary>
    public Md5Lanes()
    {
    }

    /// <summary>Adds as many whole blocks to every message.</summary>
    /// <param name="lanes">Where the next bytes of each of the eight messages are.</param>
    /// <param name="blocks">Blocks of <see cref="BlockBytes"/>.</param>
    public void Add(byte** lanes, int blocks)
    {
        if (Vector256.IsHardwareAccelerated)
        {
            _all.Add(lanes, blocks);
        }
        else
        {
            _first.Add(lanes, blocks);
            _second.Add(lanes + Words4.Count, blocks);
        }
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
        if (Vector256.IsHardwareAccelerated) ended._all.Write(lane, hash);
        else if (lane < Words4.Count) ended._first.Write(lane, hash);
        else ended._second.Write(lane - Words4.Count, hash);
    }
}

/// <summary>What MD5 knows of the messages in the lanes of one kind of vector.</summary>
internal unsafe struct Md5State<T> where T : unmanaged, IMd5Words<T>
{
    private T _a = T.Of(0x67452301);
    private T _b = T.Of(0xefcdab89);
    private T _c = T.Of(0x98badcfe);
    private T _d = T.Of(0x10325476);

    /// <summary>Messages of which nothing was added.</summary>
    public Md5State()
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

    /// <summary>Adds blocks to every message.</summary>
    public void Add(byte** lanes, int blocks)
    {
        var w = stackalloc T[16];
        var (a, b, c, d) = (_a, _b, _c, _d);
        fixed (uint* sines = Sines)
        {
            for (var at = 0; blocks > 0; blocks--, at += Md5Lanes.BlockBytes)
            {
                for (var i = 0; i < 16; i++) w[i] = T.Load(lanes, at + 4 * i);
                var (a0, b0, c0, d0) = (a, b, c, d);
                // What depends on the newest of the four words comes last: the chain of those is what takes the time.
                for (var i = 0; i < 16; i += 4)
                {
                    a = T.Turn(a + w[i] + T.Of(sines[i]) + (d ^ (b & (c ^ d))), 7) + b;
                    d = T.Turn(d + w[i + 1] + T.Of(sines[i + 1]) + (c ^ (a & (b ^ c))), 12) + a;
                    c = T.Turn(c + w[i + 2] + T.Of(sines[i + 2]) + (b ^ (d & (a ^ b))), 17) + d;
                    b = T.Turn(b + w[i + 3] + T.Of(sines[i + 3]) + (a ^ (c & (d ^ a))), 22) + c;
                }

                for (var i = 16; i < 32; i += 4)
                {
                    // The halves of (b & d) | (c & ~d) have no bit in common: they can be added.
                    a = T.Turn(a + w[(5 * i + 1) & 15] + T.Of(sines[i]) + (c & ~d) + (b & d), 5) + b;
                    d = T.Turn(d + w[(5 * i + 6) & 15] + T.Of(sines[i + 1]) + (b & ~c) + (a & c), 9) + a;
                    c = T.Turn(c + w[(5 * i + 11) & 15] + T.Of(sines[i + 2]) + (a & ~b) + (d & b), 14) + d;
                    b = T.Turn(b + w[(5 * i + 16) & 15] + T.Of(sines[i + 3]) + (d & ~a) + (c & a), 20) + c;
                }

                for (var i = 32; i < 48; i += 4)
                {
                    a = T.Turn(a + w[(3 * i + 5) & 15] + T.Of(sines[i]) + (b ^ (c ^ d)), 4) + b;
                    d = T.Turn(d + w[(3 * i + 8) & 15] + T.Of(sines[i + 1]) + (a ^ (b ^ c)), 11) + a;
                    c = T.Turn(c + w[(3 * i + 11) & 15] + T.Of(sines[i + 2]) + (d ^ (a ^ b)), 16) + d;
                    b = T.Turn(b + w[(3 * i + 14) & 15] + T.Of(sines[i + 3]) + (c ^ (d ^ a)), 23) + c;
                }

                for (var i = 48; i < 64; i += 4)
                {
                    a = T.Turn(a + w[7 * i & 15] + T.Of(sines[i]) + (c ^ (b | ~d)), 6) + b;
                    d = T.Turn(d + w[(7 * i + 7) & 15] + T.Of(sines[i + 1]) + (b ^ (a | ~c)), 10) + a;
                    c = T.Turn(c + w[(7 * i + 14) & 15] + T.Of(sines[i + 2]) + (a ^ (d | ~b)), 15) + d;
                    b = T.Turn(b + w[(7 * i + 21) & 15] + T.Of(sines[i + 3]) + (d ^ (c | ~a)), 21) + c;
                }

                a += a0;
                b += b0;
                c += c0;
                d += d0;
            }
        }

        (_a, _b, _c, _d) = (a, b, c, d);
    }

    /// <summary>Writes the hash of a message that has ended.</summary>
    public readonly void Write(int lane, Span<byte> hash)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(hash, _a[lane]);
        BinaryPrimitives.WriteUInt32LittleEndian(hash[4..], _b[lane]);
        BinaryPrimitives.WriteUInt32LittleEndian(hash[8..], _c[lane]);
        BinaryPrimitives.WriteUInt32LittleEndian(hash[12..], _d[lane]);
    }
}

/// <summary>One word of as many messages as a vector has lanes, with what MD5 does to words.</summary>
internal unsafe interface IMd5Words<T>
    : IAdditionOperators<T, T, T>, IBitwiseOperators<T, T, T> where T : unmanaged, IMd5Words<T>
{
    /// <summary>The word of one message.</summary>
    uint this[int lane] { get; }

    /// <summary>The same word for every message.</summary>
    static abstract T Of(uint word);

    /// <summary>The words at an offset of each message.</summary>
    static abstract T Load(byte** lanes, int at);

    /// <summary>The words turned left by so many bits.</summary>
    static abstract T Turn(T words, int bits);
}

/// <summary>Words of eight messages.</summary>
internal readonly unsafe struct Words8(Vector256<uint> words) : IMd5Words<Words8>
{
    private readonly Vector256<uint> _words = words;

    public uint this[int lane] => _words[lane];

    public static Words8 Of(uint word) => new(Vector256.Create(word));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Words8 Load(byte** lanes, int at) => new(Vector256.Create(
        *(uint*)(lanes[0] + at), *(uint*)(lanes[1] + at), *(uint*)(lanes[2] + at), *(uint*)(lanes[3] + at),
        *(uint*)(lanes[4] + at), *(uint*)(lanes[5] + at), *(uint*)(lanes[6] + at), *(uint*)(lanes[7] + at)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Words8 Turn(Words8 words, int bits) => new(words._words << bits | words._words >>> 32 - bits);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Words8 operator +(Words8 left, Words8 right) => new(left._words + right._words);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Words8 operator &(Words8 left, Words8 right) => new(left._words & right._words);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Words8 operator |(Words8 left, Words8 right) => new(left._words | right._words);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Words8 operator ^(Words8 left, Words8 right) => new(left._words ^ right._words);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Words8 operator ~(Words8 words) => new(~words._words);
}

/// <summary>Words of four messages.</summary>
internal readonly unsafe struct Words4(Vector128<uint> words) : IMd5Words<Words4>
{
    /// <summary>Messages side by side.</summary>
    public const int Count = 4;

    private readonly Vector128<uint> _words = words;

    public uint this[int lane] => _words[lane];

    public static Words4 Of(uint word) => new(Vector128.Create(word));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Words4 Load(byte** lanes, int at) => new(Vector128.Create(
        *(uint*)(lanes[0] + at), *(uint*)(lanes[1] + at), *(uint*)(lanes[2] + at), *(uint*)(lanes[3] + at)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Words4 Turn(Words4 words, int bits) => new(words._words << bits | words._words >>> 32 - bits);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Words4 operator +(Words4 left, Words4 right) => new(left._words + right._words);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Words4 operator &(Words4 left, Words4 right) => new(left._words & right._words);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Words4 operator |(Words4 left, Words4 right) => new(left._words | right._words);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Words4 operator ^(Words4 left, Words4 right) => new(left._words ^ right._words);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Words4 operator ~(Words4 words) => new(~words._words);
}
