# syntax=docker/dockerfile:1
# The agent, built from the root of the repository:
#   docker build --file infra/images/agent.Dockerfile --tag edgecloud-agent .
# It has the sources replay and simulated. Source dds needs the native part compiled against the CycloneDDS of the machine that runs it: build
# the agent there (README), or in an image of your own that has cyclonedds-dev and gcc.
# Its configuration is expected at /etc/edgecloud/agent.yaml or in EDGECLOUD_ variables, its recordings stay in /var/lib/edgecloud.
FROM --platform=$BUILDPLATFORM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /src
COPY . .
# No runtime identifier: the same output serves every processor.
RUN --mount=type=cache,target=/root/.nuget/packages \
    dotnet publish agent/EdgeCloud.Agent --configuration Release --output /app -p:UseAppHost=false -p:FullFeed="$(infra/feed)"

FROM mcr.microsoft.com/dotnet/runtime:10.0
# libmosquitto only where the feed had no MQTTnet; it is small enough not to ask.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends liblz4-1 libmosquitto1 libzstd1 \
 && rm -rf /var/lib/apt/lists/* \
 && install -d -o "$APP_UID" -g "$APP_UID" -m 0750 /var/lib/edgecloud \
 && install -d /etc/edgecloud
COPY --chmod=0755 infra/images/http-ok /usr/local/bin/
COPY --from=build /app /opt/edgecloud
ENV DOTNET_EnableDiagnostics=0 DOTNET_GCgen0size=400000 EDGECLOUD_HEALTH__PORT=9464
USER $APP_UID
VOLUME /var/lib/edgecloud
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["http-ok", "9464", "/healthz"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["dotnet", "/opt/edgecloud/edgecloud-agent.dll"]
CMD ["run"]
