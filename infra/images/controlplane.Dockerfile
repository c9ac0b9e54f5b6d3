# syntax=docker/dockerfile:1
# The control plane, built from the root of the repository:
#   docker build --file infra/images/controlplane.Dockerfile --tag edgecloud-controlplane .
# Its settings are ASP.NET's: ConnectionStrings__Catalogue, Mqtt__Host, S3__Endpoint, ... (see docker-compose.yml). It keeps nothing.
FROM --platform=$BUILDPLATFORM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /src
COPY . .
# No runtime identifier: the same output serves every processor.
RUN --mount=type=cache,target=/root/.nuget/packages \
    dotnet publish controlplane/EdgeCloud.ControlPlane --configuration Release --output /app \
      -p:UseAppHost=false -p:FullFeed="$(infra/feed)"

# DuckDB's library, which writes Parquet. It is pinned for amd64; elsewhere an export to Parquet says what is missing.
FROM --platform=$BUILDPLATFORM node:22-bookworm-slim AS duckdb
ARG TARGETARCH
WORKDIR /src
COPY infra infra
RUN mkdir /duckdb \
 && if [ "$TARGETARCH" = amd64 ] && [ "$(uname -m)" = x86_64 ]; then infra/duckdb && cp .local/duckdb/* /duckdb/; fi

FROM mcr.microsoft.com/dotnet/aspnet:10.0
# libmosquitto only where the feed had no MQTTnet; it is small enough not to ask.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends liblz4-1 libmosquitto1 libzstd1 \
 && rm -rf /var/lib/apt/lists/*
COPY --chmod=0755 infra/images/http-ok /usr/local/bin/
COPY --from=duckdb /duckdb/ /usr/lib/edgecloud/
COPY --from=build /app /opt/edgecloud
ENV DOTNET_EnableDiagnostics=0 ASPNETCORE_HTTP_PORTS=8080
USER $APP_UID
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["http-ok", "8080", "/readyz"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["dotnet", "/opt/edgecloud/edgecloud-controlplane.dll"]
