# The app's image. `make dist` has put the program below dist/; only where it has not, it is compiled here, which takes a
# small board an hour and 3 GB of room. Both architectures from the same lines: nothing is passed that Docker and the
# Supervisor do not pass by themselves.
FROM ghcr.io/home-assistant/base:3.23 AS build
WORKDIR /src
COPY . .
# hadolint ignore=DL3018
RUN case "$(uname -m)" in x86_64) arch=amd64 ;; *) arch="$(uname -m)" ;; esac \
    && if [ ! -f "dist/${arch}/sd-swap" ]; then \
        apk add --no-cache build-base cargo \
        && RUSTFLAGS="-C target-feature=+crt-static" cargo build --release --locked --no-default-features \
        && install -D target/release/sd-swap "dist/${arch}/sd-swap"; \
    fi \
    && install -D -m 0755 "dist/${arch}/sd-swap" /out/usr/bin/sd-swap

FROM ghcr.io/home-assistant/base:3.23
# e2fsck; resize2fs and debugfs are in the second package. No version is named: a base image keeps only its newest.
# hadolint ignore=DL3018
RUN apk add --no-cache e2fsprogs e2fsprogs-extra
COPY --from=build /out/ /
COPY rootfs/ /

ARG BUILD_VERSION
ARG BUILD_ARCH
LABEL \
    io.hass.name="SD card swap" \
    io.hass.description="Makes a new SD card for your Home Assistant while it keeps running" \
    io.hass.type="app" \
    io.hass.version="${BUILD_VERSION}" \
    io.hass.arch="${BUILD_ARCH}" \
    org.opencontainers.image.title="SD card swap" \
    org.opencontainers.image.source="https://github.com/sd-swap/sd-swap" \
    org.opencontainers.image.licenses="MIT OR Apache-2.0" \
    org.opencontainers.image.version="${BUILD_VERSION}"
