# What stands beside a sidecar: the tokenizer, or one of the sample apps. From the root of the project:
#   docker build -f sidecar/app.Dockerfile --build-arg APP=tokenizer -t tokenmesh-tokenizer .
# APP is tokenizer, order, paybill or outsider. docs/images.md says what is in it.
ARG APP=tokenizer

FROM node:24.21.0-trixie-slim AS modules
WORKDIR /app
COPY package.json package-lock.json ./
# Node itself comes from the lock file, by its hash: the one that the tests ran.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund \
    && mv node_modules/node-linux-*/bin/node /opt/node \
    && rm -rf node_modules/node-linux-* \
    && mkdir -m 0700 /run/tokenmesh

# No shell, no package manager: glibc, libstdc++ and the CAs of the web.
FROM gcr.io/distroless/cc-debian13:nonroot AS app
WORKDIR /app
COPY --from=modules /opt/node /usr/local/bin/node
COPY --from=modules /app/node_modules /app/node_modules
# The sockets that it shares with its sidecar, which runs under the same user.
COPY --from=modules --chown=65532:65532 /run/tokenmesh /run/tokenmesh
COPY package.json /app/
COPY errors /app/errors
COPY mesh /app/mesh
COPY runtime /app/runtime
COPY sidecar/tokenizer/client /app/sidecar/tokenizer/client
# The linter takes the product's name for a token.
# hadolint ignore=DL3064
ENV NODE_ENV=production \
    TOKENMESH_APP_SOCKET=/run/tokenmesh/app.sock \
    TOKENMESH_EGRESS_SOCKET=/run/tokenmesh/egress.sock
USER 65532:65532
# With a volume declared here, ECS gives its own the owner and the mode of this folder.
VOLUME ["/run/tokenmesh"]
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["/usr/local/bin/node", "/app/runtime/healthcheck.ts"]

FROM app AS tokenizer
COPY sidecar/tokenizer /app/sidecar/tokenizer
# As sidecar/tokenizer/process-options.ts says.
ENV MALLOC_ARENA_MAX=1
ENTRYPOINT ["/usr/local/bin/node", "--liftoff-only", "--max-semi-space-size=16", "/app/sidecar/tokenizer/main.ts"]

FROM app AS order
COPY sample-apps/*.ts /app/sample-apps/
COPY sample-apps/order-history /app/sample-apps/order-history
COPY sample-apps/order /app/sample-apps/order
ENTRYPOINT ["/usr/local/bin/node", "/app/sample-apps/order/main.ts"]

FROM app AS paybill
COPY sample-apps/*.ts /app/sample-apps/
COPY sample-apps/order-history /app/sample-apps/order-history
COPY sample-apps/paybill /app/sample-apps/paybill
ENTRYPOINT ["/usr/local/bin/node", "/app/sample-apps/paybill/main.ts"]

FROM app AS outsider
COPY sample-apps/*.ts /app/sample-apps/
COPY sample-apps/outsider /app/sample-apps/outsider
ENTRYPOINT ["/usr/local/bin/node", "/app/sample-apps/outsider/main.ts"]

FROM ${APP} AS final
