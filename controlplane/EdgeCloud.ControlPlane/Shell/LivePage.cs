using System.Data.Common;
using System.Text.Json;
using EdgeCloud.ControlPlane.Catalogue;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Shell;

/// <summary>
/// A page that shows a piece of the catalogue and keeps it current: it queries when it opens and when its address changes, and again
/// when the stream of changes says that something it shows changed, at most once a second. While the database is away, what was shown
/// stays, and the layout says since when it is old.
/// </summary>
/// <typeparam name="TData">What the page shows, as records that survive JSON: the prerendered page hands it to the live one.</typeparam>
public abstract class LivePage<TData> : ComponentBase, IAsyncDisposable where TData : class
{
    /// <summary>The most that a page hands from its first answer to its circuit, as JSON. Encrypted it takes half as much again.</summary>
    public const int MaxKeptBytes = 256 * 1024;

    private readonly CancellationTokenSource _closing = new();
    private PersistingComponentStateSubscription _keeping;
    private Task _following = Task.CompletedTask;
    private string? _shownKey;
    private int _queries;
    private bool _isAskedAnew;

    [Inject] private IDbContextFactory<CatalogueDb> Catalogue { get; set; } = default!;
    [Inject] private Changes Changes { get; set; } = default!;
    /// <summary>The clock.</summary>
    [Inject] protected TimeProvider Clock { get; set; } = default!;
    /// <summary>The address, which holds filters, order and page.</summary>
    [Inject] protected NavigationManager Navigation { get; set; } = default!;

    [Inject] private PersistentComponentState Kept { get; set; } = default!;

    /// <summary>What is shown; null until it was queried, and for good when there is no such thing.</summary>
    public TData? Data { get; set; }

    /// <summary>True once a query came back, whatever it found.</summary>
    protected bool IsLoaded { get; private set; }

    /// <summary>True while a query for another address runs: what is shown is that of the last one.</summary>
    protected bool IsStale { get; private set; }

    /// <summary>Everything that the query depends on; another key is another query.</summary>
    protected abstract string Key { get; }

    /// <summary>Whether a change is about something that is shown.</summary>
    protected abstract bool Concerns(Change change);

    /// <summary>Queries what is to be shown; null when there is no such thing.</summary>
    protected abstract Task<TData?> QueryAsync(CatalogueDb db, CancellationToken cancellation);

    /// <summary>What becomes of the shown data when news comes in under the reader's eyes; the news itself unless overridden.</summary>
    protected virtual TData? Merge(TData? shown, TData? news) => news;

    /// <inheritdoc/>
    protected override void OnInitialized()
    {
        if (Kept.TryTakeFromJson<TData>(KeptKey, out var kept))
            Data = kept;
        _keeping = Kept.RegisterOnPersisting(KeepAsync, RenderMode.InteractiveServer);
    }

    /// <inheritdoc/>
    protected override async Task OnParametersSetAsync()
    {
        var key = Key;
        if (key == _shownKey)
            return;
        var handedOver = _shownKey is null && Data is not null;
        _shownKey = key;
        if (handedOver)
        {
            IsLoaded = true;
            return;
        }
        IsStale = Data is not null;
        await QueryAndShowAsync(live: false);
        IsStale = false;
    }

    /// <inheritdoc/>
    protected override void OnAfterRender(bool firstRender)
    {
        // Only a page with a circuit gets here: a prerendered one is over before it could follow anything.
        if (firstRender)
            _following = FollowAsync();
    }

    /// <summary>Queries again and shows the result, whatever <see cref="Merge"/> would keep.</summary>
    protected Task ReloadAsync() => QueryAndShowAsync(live: false);

    /// <summary>A context for a deed of the page.</summary>
    protected Task<CatalogueDb> OpenCatalogueAsync() => Catalogue.CreateDbContextAsync(_closing.Token);

    /// <summary>Cancelled when the page closes.</summary>
    protected CancellationToken Closing => _closing.Token;

    /// <inheritdoc/>
    public virtual async ValueTask DisposeAsync()
    {
        _keeping.Dispose();
        await _closing.CancelAsync();
        await _following;
        _closing.Dispose();
        GC.SuppressFinalize(this);
    }

    private string KeptKey => GetType().FullName!;

    // The browser carries what is kept from the first answer to the circuit. What is too large for that is queried again.
    private Task KeepAsync()
    {
        if (Data is not null && JsonSerializer.SerializeToUtf8Bytes(Data, JsonSerializerOptions.Web).Length <= MaxKeptBytes)
            Kept.PersistAsJson(KeptKey, Data);
        return Task.CompletedTask;
    }

    private async Task FollowAsync()
    {
        try
        {
            await foreach (var _ in Changes.Subscribe(Concerns, _closing.Token))
                await InvokeAsync(RefreshAsync);
        }
        catch (OperationCanceledException) when (_closing.IsCancellationRequested)
        {
            // The page is closed.
        }
        catch (Exception e)
        {
            await DispatchExceptionAsync(e);
        }
    }

    /// <summary>Queries again as if something had changed: what <see cref="Merge"/> keeps stays where it is.</summary>
    protected async Task RefreshAsync()
    {
        try
        {
            await QueryAndShowAsync(live: true);
        }
        catch (Exception e) when (e is DbException or { InnerException: DbException })
        {
            // The stream of changes has lost the database too and says "everything" when it is back.
        }
        StateHasChanged();
    }

    private async Task QueryAndShowAsync(bool live)
    {
        // Two queries may be under way, of a live change and of a new address; the one that was asked last is shown, and replaces what is there
        // when any of them was to.
        var number = ++_queries;
        _isAskedAnew |= !live;
        await using var db = await OpenCatalogueAsync();
        var news = await QueryAsync(db, _closing.Token);
        if (number != _queries)
            return;
        Data = _isAskedAnew ? news : Merge(Data, news);
        _isAskedAnew = false;
        IsLoaded = true;
    }
}
