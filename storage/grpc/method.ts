/** How one call looks on the wire; the tables of them (services.ts) are shared by the server and the remote client. */

export interface Codec<T> {
  /** As protobuf, after `reserved` bytes (0 when absent) for the caller to fill in. */
  encode(message: T, reserved?: number): Buffer;
  /** Keys and values share the memory of `bytes`. @throws WireError */
  decode(bytes: Uint8Array): T;
}

export interface Method<Request, Response> {
  /** E.g. `/etcdserverpb.KV/Range`. */
  readonly path: string;
  /** E.g. `etcdserverpb.KV`. */
  readonly service: string;
  /** E.g. `Range`. */
  readonly name: string;
  readonly type: 'unary' | 'client_stream' | 'server_stream' | 'bidi_stream';
  readonly request: Codec<Request>;
  readonly response: Codec<Response>;
}
