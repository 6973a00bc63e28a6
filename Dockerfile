# Two images from one file:
#   --target function   the static binary alone, from scratch: hermetic, for kpt, as user nobody
#   (default)           the same program on a small base with git, ssh and CA certificates
#
# The bases are arguments, so that they can be mirrored or pinned by digest. To put a binary that is
# built already into the function image, without pulling any base, give a directory that holds it as
# `modelsync`:
#   podman build --target function --build-context binary=DIR .
ARG BUILDER=docker.io/library/rust:1.95-slim-bookworm
ARG RUNTIME=docker.io/library/debian:bookworm-slim

FROM ${BUILDER} AS build
WORKDIR /source
COPY . .
# glibc, linked in: no host names can be looked up so, and the function needs none.
RUN RUSTFLAGS="-C target-feature=+crt-static" \
      cargo build --locked --release --target "$(rustc --print host-tuple)" --target-dir /static \
 && cargo build --locked --release --target-dir /dynamic \
 && mkdir /binary \
 && cp /static/*/release/modelsync /binary/modelsync

# Replaced by --build-context binary=DIR.
FROM scratch AS binary
COPY --from=build /binary/modelsync /modelsync

FROM scratch AS function
# kpt runs functions as nobody, and asks /etc/passwd who that is.
COPY deploy/image/passwd deploy/image/group /etc/
COPY --from=binary /modelsync /modelsync
USER nobody
LABEL org.opencontainers.image.title="modelsync function" \
      org.opencontainers.image.licenses="Apache-2.0"
ENTRYPOINT ["/modelsync", "fn"]

FROM ${RUNTIME}
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates git openssh-client \
 && rm -rf /var/lib/apt/lists/*
COPY --from=build /dynamic/release/modelsync /usr/local/bin/modelsync
USER nobody
LABEL org.opencontainers.image.title="modelsync" \
      org.opencontainers.image.licenses="Apache-2.0"
ENTRYPOINT ["modelsync"]
