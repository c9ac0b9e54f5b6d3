using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Threading.Channels;

namespace EdgeCloud.Mqtt.Libmosquitto;

/// <summary>
/// A link over libmosquitto. One thread per link owns the native handle: it alone calls the library, runs the event loop, and so
/// receives every callback. Publishes and subscriptions reach it through a bounded channel and an eventfd; answers leave it as completed
/// tasks, messages through <c>deliver</c>. Neither side ever waits for the other inside a callback.
/// </summary>
internal sealed partial class MosquittoLink(MqttOptions options, MqttMessage? will, Action<MqttMessage> deliver, int attempt) : MqttLink
{
    /// <summary>Requests handed to the library and not answered yet; the rest waits in the channel, so memory stays bounded.</summary>
    private const int InFlightMax = 64;

    private static readonly TimeSpan FarewellMax = TimeSpan.FromSeconds(1);

    private readonly Channel<Request> _requests = Channel.CreateBounded<Request>(new BoundedChannelOptions(256) { SingleReader = true });
    private readonly Polling _polling = new();
    private readonly TaskCompletionSource _connected = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<string> _lost = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _threadEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Thread? _thread;
    private volatile bool _stop;

    /// <summary>What a caller waits for; the answer is the reason code of the PUBACK or SUBACK.</summary>
    private readonly record struct Request(MqttMessage? Publish, string? Subscribe, TaskCompletionSource<int> Answer);

    public override Task<string> Lost => _lost.Task;

    public override async Task ConnectAsync(CancellationToken cancellation)
    {
        var local = await LocalAddressAsync(cancellation);
        _thread = new Thread(() => Run(local)) { IsBackground = true, Name = "mqtt" };
        _thread.Start();
        await _connected.Task.WaitAsync(cancellation);
    }

    /// <summary>
    /// A connect that does not block takes the first address of a host and no other. Of a host with addresses of both families, IPv4 and
    /// IPv6 take turns, by the wildcard address that the socket is bound to: a broken IPv6 must not keep a robot away for ever. Asking
    /// here also keeps a slow resolver off the thread, where it could not be cancelled.
    /// </summary>
    /// <returns>Null where there is nothing to choose.</returns>
    private async Task<string?> LocalAddressAsync(CancellationToken cancellation)
    {
        try
        {
            var addresses = await Dns.GetHostAddressesAsync(options.Host, cancellation).WaitAsync(options.ConnectTimeout, cancellation);
            var families = addresses.Select(a => a.AddressFamily).Distinct().ToArray();
            if (families.Length == 1)
                return null;
            return families[attempt % families.Length] == AddressFamily.InterNetworkV6 ? "::" : "0.0.0.0";
        }
        catch (Exception e) when (e is SocketException or TimeoutException)
        {
            throw new MqttException($"cannot connect to {Broker}: the host name does not resolve ({e.Message})", null, e);
        }
    }

    public override async Task PublishAsync(MqttMessage message, CancellationToken cancellation)
    {
        var code = await AskAsync(message, null, cancellation);
        if (MqttReasons.IsError(code))
            throw MqttReasons.RefusedPublish(message.Topic, code);
    }

    public override async Task SubscribeAsync(string filter, CancellationToken cancellation)
    {
        var code = await AskAsync(null, filter, cancellation);
        if (MqttReasons.IsError(code))
            throw MqttReasons.RefusedSubscription(filter, code);
    }

    private async Task<int> AskAsync(MqttMessage? publish, string? subscribe, CancellationToken cancellation)
    {
        var request = new Request(publish, subscribe, new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously));
        try
        {
            await _requests.Writer.WriteAsync(request, cancellation);
        }
        catch (ChannelClosedException)
        {
            throw LostBeforeAnswer(await _lost.Task);
        }
        _polling.Wake();
        return await request.Answer.Task.WaitAsync(cancellation);
    }

    private static MqttException LostBeforeAnswer(string reason) =>
        new($"the MQTT connection ended before the broker acknowledged: {reason}");

    public override async ValueTask DisposeAsync()
    {
        _stop = true;
        _polling.Wake();
        if (_thread is not null)
            await _threadEnded.Task;
        _polling.Dispose();
    }

    /// <summary>The thread: connects, serves until the link ends, and leaves nobody waiting.</summary>
    private void Run(string? local)
    {
        var self = GCHandle.Alloc(this);
        try
        {
            var reason = Serve(self, local);
            _connected.TrySetException(new MqttException(reason));
            End(reason);
        }
        catch (MqttException e)
        {
            _connected.TrySetException(e);
            End(e.Message);
        }
        catch (Exception unexpected)
        {
            _connected.TrySetException(unexpected);
            _lost.TrySetException(unexpected);
            End(unexpected.Message);
        }
        finally
        {
            self.Free();
            _ = _connected.Task.Exception; // seen: a stopped link may have nobody waiting
            _threadEnded.SetResult();
        }
    }

    private void End(string reason)
    {
        _lost.TrySetResult(reason);
        _requests.Writer.Complete();
        var lost = LostBeforeAnswer(reason);
        foreach (var answer in _waiting.Values)
            Fail(answer, lost);
        _waiting.Clear();
        while (_requests.Reader.TryRead(out var request))
            Fail(request.Answer, lost);
    }

    private static void Fail(TaskCompletionSource<int> answer, MqttException cause)
    {
        answer.TrySetException(cause);
        _ = answer.Task.Exception; // seen: the caller may have been cancelled
    }

    /// <returns>Why the link ended.</returns>
    private string Serve(GCHandle self, string? local)
    {
        using var handle = new MosquittoHandle(options, will, self);
        SetCallbacks(handle);
        var error = handle.Connect(options, local);
        if (error != NativeMosquitto.Success)
            throw Unreachable(error, Marshal.GetLastPInvokeError());
        if (AwaitConnack(handle))
        {
            _connected.TrySetResult();
            if (!ServeRequests(handle, out var reason))
                return reason;
        }
        SayFarewell(handle);
        return "closed by this side";
    }

    /// <summary>
    /// TCP, TLS and CONNECT. While TLS shakes hands the library does not say what it waits for (<c>want_write</c> stays up), so the
    /// socket is polled for input and the output is tried at every turn.
    /// </summary>
    /// <returns>False when the link was told to stop first.</returns>
    private bool AwaitConnack(MosquittoHandle handle)
    {
        const int turnMilliseconds = 50, farewellsMax = 10;
        var started = Stopwatch.GetTimestamp();
        var tcpStands = false;
        var farewells = 0;
        while (!_stop)
        {
            if (Stopwatch.GetElapsedTime(started) > options.ConnectTimeout)
                throw new MqttException($"{Broker} did not answer within {options.ConnectTimeout.TotalSeconds:0.###} s");
            var wanted = (short)(Polling.In | Polling.PeerClosed | (tcpStands ? 0 : Polling.Out));
            var happened = _polling.Wait(handle.Socket, wanted, turnMilliseconds);
            var broken = (happened & (Polling.Error | Polling.HangUp)) != 0;
            if (!tcpStands && broken)
                throw new MqttException($"cannot connect to {Broker}: {Polling.SocketError(handle.Socket)}");
            tcpStands |= (happened & Polling.Out) != 0;
            if (!tcpStands)
                continue;
            var error = Turn(handle, out var errno);
            if (_connack is { } code && code != 0)
                throw MqttReasons.RefusedConnection(code);
            if (error != NativeMosquitto.Success)
                throw Unreachable(error, errno);
            if (_connack == 0)
                return true;
            // Of a peer that hangs up in the middle of TLS the library says nothing, for ever; what it sent before is read first.
            if ((broken || (happened & Polling.PeerClosed) != 0) && ++farewells > farewellsMax)
                throw new MqttException($"{Broker} closed the connection before it answered{LoggedErrors}");
        }
        return false;
    }

    /// <returns>True when told to stop; false, with the reason, when the connection was lost.</returns>
    private bool ServeRequests(MosquittoHandle handle, out string reason)
    {
        const int idleMilliseconds = 1000; // the granularity of pings
        while (!_stop)
        {
            while (_waiting.Count < InFlightMax && _requests.Reader.TryRead(out var request))
                Issue(handle, request);
            var wanted = (short)(Polling.In | (handle.WantsToWrite ? Polling.Out : 0));
            _polling.Wait(handle.Socket, wanted, idleMilliseconds);
            var error = Turn(handle, out var errno);
            if (error != NativeMosquitto.Success || handle.Socket < 0)
            {
                reason = _disconnectReason ?? $"lost the connection to {Broker}: {Describe(error, errno)}";
                return false;
            }
        }
        reason = "";
        return true;
    }

    private static int Turn(MosquittoHandle handle, out int errno)
    {
        var error = handle.Read();
        errno = Marshal.GetLastPInvokeError();
        if (error == NativeMosquitto.Success && handle.WantsToWrite)
        {
            error = handle.Write();
            errno = Marshal.GetLastPInvokeError();
        }
        return error == NativeMosquitto.Success && handle.Socket >= 0 ? handle.KeepAlive() : error;
    }

    private void Issue(MosquittoHandle handle, Request request)
    {
        var error = request.Publish is { } message
            ? handle.Publish(message, out var packetId)
            : handle.Subscribe(request.Subscribe!, out packetId);
        if (error == NativeMosquitto.Success)
            _waiting[packetId] = request.Answer;
        else
            Fail(request.Answer, CannotSend(request.Publish?.Topic ?? request.Subscribe, error));
    }

    private static MqttException CannotSend(string? what, int error) => new($"cannot send {what}: {NativeMosquitto.Describe(error)}");

    /// <summary>DISCONNECT, so that the broker drops the Will; a peer that takes nothing is left after a second.</summary>
    private void SayFarewell(MosquittoHandle handle)
    {
        if (handle.Socket < 0)
            return;
        var started = Stopwatch.GetTimestamp();
        var error = handle.Disconnect();
        while (error == NativeMosquitto.Success && handle.Socket >= 0 && Stopwatch.GetElapsedTime(started) < FarewellMax)
        {
            _polling.Wait(handle.Socket, Polling.Out, 50);
            error = handle.Write();
        }
    }

    private string Broker => $"{options.Host}:{options.Port}";

    private MqttException Unreachable(int error, int errno) => new($"cannot connect to {Broker}: {Describe(error, errno)}");

    private string Describe(int error, int errno) => error switch
    {
        NativeMosquitto.ErrErrno => Marshal.GetPInvokeErrorMessage(errno) + LoggedErrors,
        NativeMosquitto.ErrAddressInfo => "the host name does not resolve", // any more: it just did
        NativeMosquitto.ErrTls => "TLS failed" + LoggedErrors,
        NativeMosquitto.ErrConnectionLost or NativeMosquitto.Success => "the broker closed it" + LoggedErrors,
        NativeMosquitto.ErrKeepAlive => "no answer to a ping",
        _ => NativeMosquitto.Describe(error) + LoggedErrors,
    };
}
