# syntax=docker/dockerfile:1
# What docker-compose.yml runs before anything else: see infra/images/setup.
FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install --yes --no-install-recommends mosquitto openssl \
 && rm -rf /var/lib/apt/lists/*
COPY --chmod=0755 infra/stack/common.sh infra/stack/mosquitto /opt/edgecloud/stack/
COPY --chmod=0755 infra/images/setup /opt/edgecloud/
ENTRYPOINT ["/opt/edgecloud/setup"]
