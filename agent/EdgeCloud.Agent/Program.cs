using EdgeCloud.Agent.Host;

return await Commands.InvokeAsync(args);
