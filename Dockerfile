# The image for those who build with Docker. `make image` builds it without, byte for byte the same in every folder, and is what
# hack/kind and hack/cluster load.
FROM rust:1.95.0-slim-bookworm AS build
WORKDIR /admittance
COPY . .
# Static, as there is no C library in the image. Naming the target, even where it is the host, keeps the flag away from build
# scripts and macros, which cannot be static.
RUN target="$(rustc -vV | sed -n 's/^host: //p')" \
 && RUSTFLAGS="-C target-feature=+crt-static" cargo build --locked --profile dist --target "$target" --bin admittance \
 && cp "target/$target/dist/admittance" /usr/local/bin/admittance

FROM scratch
LABEL org.opencontainers.image.title="admittance" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="https://github.com/admittance-dev/admittance"
COPY --from=build /usr/local/bin/admittance /admittance
COPY LICENSE /LICENSE
USER 65532:65532
ENTRYPOINT ["/admittance"]
