/** What a request needs for a moment: three objects of about 128 bytes. */

/** 3 words of header and 13 fields: 128 bytes. */
export class SessionObject {
  id = 0;
  user = 0;
  started = 0;
  path = "";
  method = "";
  status = 0;
  bytesIn = 0;
  bytesOut = 0;
  retries = 0;
  flags = 0;
  hops = 0;
  checksum = 0;
  parent: SessionObject | null = null;
}

export const OBJECTS_A_REQUEST = 3;

/** Uses the three objects as a request would, and returns what comes out, so that no optimiser leaves them out. */
export function handle(
  request: SessionObject,
  session: SessionObject,
  response: SessionObject,
  serial: number,
): number {
  request.id = serial;
  request.path = "/orders";
  request.method = "GET";
  request.bytesIn = 200 + (serial & 63);
  session.id = serial;
  session.user = serial & 1023;
  session.parent = request;
  session.hops = 1;
  response.parent = session;
  response.status = 200;
  response.bytesOut = request.bytesIn + session.user;
  response.checksum = (Math.imul(serial, 31) ^ response.bytesOut) >>> 0;
  return response.checksum;
}

/** Before an object goes back to a pool: nothing of the request stays reachable. */
export function reset(object: SessionObject): void {
  object.parent = null;
  object.path = "";
  object.method = "";
}
