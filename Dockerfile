# imapsync as a batch job in a container: one program file on a base without shell or package manager, not root.
#
#   docker build -t imapsync .
#   docker run --rm -v ./config:/config:ro -v ./mail:/mail -v ./state:/state -e ALICE_PASSWORD imapsync run /config/job.yaml
#
# There is no HEALTHCHECK: a backup runs and ends, and its exit status is its health (0 all in place; README.md lists the others).
# Without a shell in the image use password_env or password_file; password_command has nothing to run.

FROM mcr.microsoft.com/dotnet/sdk:10.0-noble AS build
# The native program is linked by a C compiler. It is built on the processor it is for: linux/arm64 on an arm64 builder (or emulated).
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
ARG TARGETARCH=amd64
WORKDIR /source
COPY global.json Directory.Build.props Directory.Packages.props BannedSymbols.txt .editorconfig ./
COPY src/ src/
RUN dotnet publish src/imapsync/imapsync.csproj --configuration Release --os linux --arch "$TARGETARCH" --output /out/usr/local/bin
RUN mkdir -p /out/config /out/mail /out/state

FROM mcr.microsoft.com/dotnet/runtime-deps:10.0-noble-chiseled
LABEL org.opencontainers.image.title="imapsync" \
      org.opencontainers.image.description="Backs up and migrates mailboxes: every message once, octet for octet" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.documentation="README.md"
# 1654 is the user "app" of the base image; a volume made from these directories belongs to it.
COPY --from=build --chown=1654:1654 /out/ /
ENV XDG_STATE_HOME=/state
WORKDIR /config
VOLUME ["/config", "/mail", "/state"]
USER 1654:1654
ENTRYPOINT ["/usr/local/bin/imapsync"]
CMD ["run", "/config/job.yaml"]
