/** A receiver of metrics over HTTP, made of OpenTelemetry's own protobuf definitions. */
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import definitions from "otlp-definitions/build/src/generated/root.js";

/** 64 bits: Number() makes a number of it. */
type WholeNumber = number | { valueOf(): number };

interface Point {
  readonly count: WholeNumber;
  readonly sum: number;
  readonly explicitBounds: readonly number[];
  readonly bucketCounts: readonly WholeNumber[];
}

export interface ReceivedMetric {
  readonly name: string;
  readonly unit: string;
  readonly histogram?: { readonly dataPoints: readonly Point[] };
  readonly exponentialHistogram?: { readonly dataPoints: readonly Point[] };
}

/** What is used of the generated classes. */
interface Service {
  readonly ExportMetricsServiceRequest: {
    decode(bytes: Uint8Array): {
      readonly resourceMetrics: readonly {
        readonly scopeMetrics: readonly { readonly metrics: readonly ReceivedMetric[] }[];
      }[];
    };
  };
  readonly ExportMetricsServiceResponse: {
    encode(message: object): { finish(): Uint8Array };
  };
}

interface Definitions {
  readonly opentelemetry: { readonly proto: { readonly collector: { readonly metrics: { readonly v1: Service } } } };
}

export interface OtlpReceiver {
  readonly port: number;
  readonly requests: {
    readonly path: string;
    readonly contentType: string;
    readonly metrics: readonly ReceivedMetric[];
  }[];
  /** What it answers from now on. */
  answer: { readonly status: number; readonly rejected: number };
  close(): void;
}

export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const { ExportMetricsServiceRequest, ExportMetricsServiceResponse } = (definitions as unknown as Definitions)
    .opentelemetry.proto.collector.metrics.v1;
  const requests: OtlpReceiver["requests"] = [];
  const server = createServer(async (request, response) => {
    const { resourceMetrics } = ExportMetricsServiceRequest.decode(await bodyOf(request));
    requests.push({
      path: request.url ?? "",
      contentType: request.headers["content-type"] ?? "",
      metrics: resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics)),
    });
    const { status, rejected } = receiver.answer;
    const partialSuccess = { rejectedDataPoints: rejected, errorMessage: "too old" };
    const answer = ExportMetricsServiceResponse.encode(rejected === 0 ? {} : { partialSuccess }).finish();
    response.writeHead(status, { "content-type": "application/x-protobuf" }).end(answer);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const receiver: OtlpReceiver = {
    port: (server.address() as AddressInfo).port,
    requests,
    answer: { status: 200, rejected: 0 },
    close: () => server.close(),
  };
  return receiver;
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts);
}
