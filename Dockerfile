# Two images from one file, with the same static binary:
#   --target function   the binary and CA certificates, from scratch: for kpt, as user nobody
#   (default)           the binary on a small base with git and ssh, for everything else
#
# The bases are arguments, so that they can be mirrored or pinned by digest. To put a binary that is
# built already into the function image, without pulling any base, give a directory that holds it as
# `modelsync`, and `ca-certificates.crt`:
#   podman build --target function --build-context binary=DIR .
ARG BUILDER=docker.io/library/rust:1.95-slim-bookworm
ARG RUNTIME=docker.io/library/debian:bookworm-slim

FROM ${BUILDER} AS build
WORKDIR /source
COPY . .
# glibc, linked in. Since 2.34 it holds what looks up host names, so that this works without the
# system's libraries.
RUN RUSTFLAGS="-C target-feature=+crt-static" \
      cargo build --locked --release --target "$(rustc --print host-tuple)" --target-dir /target \
 && mkdir /binary \
 && cp /target/*/release/modelsync /etc/ssl/certs/ca-certificates.crt /binary/

# Replaced by --build-context binary=DIR.
FROM scratch AS binary
COPY --from=build /binary/ /

FROM scratch AS function
# kpt runs functions as nobody, and asks /etc/passwd who that is.
COPY deploy/image/passwd deploy/image/group /etc/
# For registries, when kpt is told --allow-network.
COPY --from=binary /ca-certificates.crt /etc/ssl/certs/
COPY --from=binary /modelsync /modelsync
# nobody, as a number: Kubernetes cannot tell of a name that it is not root.
USER 65534:65534
LABEL org.opencontainers.image.title="modelsync function" \
      org.opencontainers.image.licenses="Apache-2.0"
ENTRYPOINT ["/modelsync", "fn"]

FROM ${RUNTIME}
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates git openssh-client \
 && rm -rf /var/lib/apt/lists/*
COPY --from=binary /modelsync /usr/local/bin/modelsync
# nobody, as the manifests say too. ssh refuses a user that /etc/passwd does not know; Debian's does.
USER 65534:65534
LABEL org.opencontainers.image.title="modelsync" \
      org.opencontainers.image.licenses="Apache-2.0"
ENTRYPOINT ["modelsync"]
