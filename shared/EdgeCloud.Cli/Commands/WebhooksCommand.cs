using System.CommandLine;
using EdgeCloud.Contracts.Api;

namespace EdgeCloud.Cli.Commands;

/// <summary><c>edgecloud webhooks list|show|create|change|delete|test|deliveries|retry</c>.</summary>
internal static class WebhooksCommand
{
    public static Command Create() => new("webhooks", "Webhooks, for administrators: who is told when something happens")
    {
        CreateList(), CreateShow(), CreateCreate(), CreateChange(), CreateDelete(), CreateTest(), CreateDeliveries(), CreateRetry(),
    };

    private static Command CreateList() => Lists.Create(
        "list", "Webhooks by name", [], _ => "webhooks", ApiJsonContext.Default.PageWebhookView, Output.Json.WebhookView,
        ["WEBHOOK", "NAME", "ADDRESS", "TOLD WHEN", "STATE"],
        w => [w.Id.ToString(), w.Name, w.Url, string.Join(' ', w.Events), w.Enabled ? "on" : "off"]);

    private static Command CreateShow()
    {
        var id = Ids.Argument("webhook", "Webhook id");
        return Lists.CreateShow("show", "One webhook", [id], parsed => $"webhooks/{parsed.GetValue(id)}", Output.Json.WebhookView, w =>
        [
            ("webhook", w.Id.ToString()), ("name", w.Name), ("address", w.Url), ("told when", string.Join(' ', w.Events)), ("state", w.Enabled ? "on" : "off"),
            ("made", $"{Output.Time(w.CreatedAt)} by {w.CreatedBy}"), ("changed", Output.Time(w.UpdatedAt)),
        ]);
    }

    private static Command CreateChange()
    {
        var id = Ids.Argument("webhook", "Webhook id");
        var name = new Option<string?>("--name") { Description = "Another name" };
        var url = new Option<string?>("--url") { Description = "Another address" };
        var events = new Option<string[]>("--event") { Description = "What it is told of instead; repeat for several", AllowMultipleArgumentsPerToken = true };
        var enabled = new Option<bool?>("--enabled") { Description = "Whether anything is queued for it" };
        var command = new Command("change", "Change a webhook; what is left out stays, its secret too") { id, name, url, events, enabled };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var api = ApiClient.OfUser();
            var path = $"webhooks/{parsed.GetValue(id)}";
            var known = await api.GetAsync(path, ApiJsonContext.Default.WebhookView, cancellation);
            var request = new WebhookRequest
            {
                Name = parsed.GetValue(name) ?? known.Name,
                Url = parsed.GetValue(url) ?? known.Url,
                Events = parsed.GetValue(events) is { Length: > 0 } told ? told : known.Events,
                Enabled = parsed.GetValue(enabled) ?? known.Enabled,
            };
            await api.ChangeAsync(HttpMethod.Put, path, request, ApiJsonContext.Default.WebhookRequest, ApiJsonContext.Default.WebhookView, cancellation);
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command CreateCreate()
    {
        var name = new Argument<string>("name") { Description = "Its name" };
        var url = new Argument<string>("url") { Description = "Where deliveries are posted to" };
        var events = new Option<string[]>("--event") { Description = "What it is told of, such as export.finished; repeat for several", Required = true, AllowMultipleArgumentsPerToken = true };
        var json = Output.JsonOption();
        var command = new Command("create", "Make a webhook; the secret that deliveries are signed with is printed once") { name, url, events, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var api = ApiClient.OfUser();
            var request = new WebhookRequest { Name = parsed.GetValue(name)!, Url = parsed.GetValue(url)!, Events = parsed.GetValue(events)! };
            var made = await api.PostAsync("webhooks", request, ApiJsonContext.Default.WebhookRequest, ApiJsonContext.Default.WebhookView, cancellation);
            if (parsed.GetValue(json))
                Output.WriteJson(made, Output.Json.WebhookView);
            else
                Console.WriteLine($"{made.Id} {made.Secret}");
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command CreateDelete()
    {
        var id = Ids.Argument("webhook", "Webhook id");
        var command = new Command("delete", "Delete a webhook and what waits for it") { id };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var api = ApiClient.OfUser();
            await api.DeleteAsync($"webhooks/{parsed.GetValue(id)}", cancellation);
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command CreateTest()
    {
        var id = Ids.Argument("webhook", "Webhook id");
        var command = new Command("test", "Queue a test delivery") { id };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var api = ApiClient.OfUser();
            Console.WriteLine((await api.PostAsync($"webhooks/{parsed.GetValue(id)}/test", ApiJsonContext.Default.DeliveryView, cancellation)).Id);
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command CreateDeliveries()
    {
        var id = Ids.Argument("webhook", "Webhook id");
        return Lists.Create(
            "deliveries", "A webhook's deliveries, newest first", [id], parsed => $"webhooks/{parsed.GetValue(id)}/deliveries",
            ApiJsonContext.Default.PageDeliveryView, Output.Json.DeliveryView, ["DELIVERY", "AT", "EVENT", "ABOUT", "STATE", "ATTEMPTS", "ANSWER"],
            d => [d.Id.ToString(), Output.Time(d.CreatedAt), d.Event, d.Subject, d.Status, Output.Count(d.Attempts), d.Error.Length > 0 ? d.Error : d.ResponseStatus?.ToString() ?? "-"]);
    }

    private static Command CreateRetry()
    {
        var (id, delivery) = (Ids.Argument("webhook", "Webhook id"), Ids.Argument("delivery", "Delivery id"));
        var command = new Command("retry", "Try a delivery again that is over") { id, delivery };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var api = ApiClient.OfUser();
            await api.PostAsync($"webhooks/{parsed.GetValue(id)}/deliveries/{parsed.GetValue(delivery)}/retry", ApiJsonContext.Default.DeliveryView, cancellation);
            return ExitCodes.Ok;
        });
        return command;
    }
}
