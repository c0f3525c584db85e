/** Where Prometheus asks: `GET /metrics`, in the best format that it says it reads. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Labels, Metric } from "./metric.ts";
import { encodeProtobuf, PROTOBUF_TYPE } from "./prometheus-protobuf.ts";
import { encodeText, OPENMETRICS_TYPE, TEXT_TYPE } from "./prometheus-text.ts";
import type { Listen } from "./settings.ts";

/** The program before this one may still hold the port; so may a second one, for as long as it runs. */
const TRY_AGAIN_MS = 2000;
const REQUEST_MS = 5000;
const MOST_CONNECTIONS = 32;

export interface Exposed {
  readonly metrics: () => readonly Metric[];
  /** Labels that each value has. */
  readonly every: Labels;
}

export interface Endpoint {
  readonly close: () => void;
}

/** `failed` is called once when the address cannot be had; it is tried again and again. */
export function openEndpoint({ host, port }: Listen, exposed: Exposed, failed: (reason: string) => void): Endpoint {
  let isClosed = false;
  let hasFailed = false;
  let timer: NodeJS.Timeout | undefined;
  const server: Server = createServer({ requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS }, (request, response) =>
    answer(request, response, exposed),
  );
  server.maxConnections = MOST_CONNECTIONS;
  server.on("error", (error: NodeJS.ErrnoException) => {
    if (!hasFailed) failed(error.code ?? error.message);
    hasFailed = true;
    timer = setTimeout(listen, TRY_AGAIN_MS);
  });
  const listen = (): void => {
    if (!isClosed) server.listen(port, host);
  };
  listen();
  return {
    close: () => {
      isClosed = true;
      clearTimeout(timer);
      server.close();
      server.closeAllConnections();
    },
  };
}

function answer(request: IncomingMessage, response: ServerResponse, exposed: Exposed): void {
  const path = (request.url ?? "").split("?")[0];
  if (path !== "/metrics") {
    response.writeHead(404, { "content-type": "text/plain" }).end("gcspike's metrics are at /metrics\n");
    return;
  }
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.writeHead(405, { allow: "GET, HEAD" }).end();
    return;
  }
  const { type, body } = exposition(request.headers.accept ?? "", exposed);
  response.writeHead(200, { "content-type": type, "cache-control": "no-store" }).end(body);
}

/** Pure. `accept`: what the header says; Prometheus names protobuf only where it wants native histograms. */
export function exposition(
  accept: string,
  { metrics, every }: Exposed,
): { readonly type: string; readonly body: string | Uint8Array } {
  if (/application\/vnd\.google\.protobuf[^,]*io\.prometheus\.client\.MetricFamily/.test(accept)) {
    return { type: PROTOBUF_TYPE, body: encodeProtobuf(metrics(), every) };
  }
  const isOpenMetrics = /application\/openmetrics-text/.test(accept);
  return {
    type: isOpenMetrics ? OPENMETRICS_TYPE : TEXT_TYPE,
    body: encodeText(metrics(), every, isOpenMetrics),
  };
}
