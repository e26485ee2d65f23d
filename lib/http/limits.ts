/** The limits of connections, with reasons. Two are Ganeti's: a first line of 8192 bytes, and 10 seconds for a head. */

/** Times are in milliseconds, rates in bytes a second. */
export interface Limits {
  /** For a TLS handshake, and then for the head of a request. */
  readonly head: number
  /** For a whole request, including its body. */
  readonly request: number
  /** The time before a body must arrive at `leastRate` on average. */
  readonly grace: number
  /** See `grace`. */
  readonly leastRate: number
  /**
   * How long writing a piece of an answer (see exchange.ts) may take: slower readers are disconnected. Writing ends
   * when the kernel accepts the piece; it has a buffer of a few megabytes, and accepts pieces in bursts of one or two.
   */
  readonly piece: number
  /** How long what was written of an answer that goes on may wait to be taken: slower readers are disconnected. */
  readonly stalled: number
  /** From this many bytes on, a whole answer must also be read at `leastLargeRate`, as it occupies memory. */
  readonly largeAnswer: number
  readonly leastLargeRate: number
  /** Between two requests (keep-alive): longer than clients keep connections (curl 118 seconds, Go 90). */
  readonly idle: number
  /** Of a lingering close after the last answer, for a client that sends nothing more and does not close its side. */
  readonly linger: number
  /** The same, for a client that continues to send. */
  readonly longestLinger: number
  /** The interval of checking these times. */
  readonly check: number
  /** Bytes of a request's first line. */
  readonly requestLine: number
  /** Bytes of a request's head altogether; Ganeti's 4096 are too few for a token or a proxy's additions. */
  readonly headBytes: number
  /** Connections at once, in any state. */
  readonly connections: number
  /** Places beyond that for connections that carry only probes (see probes.ts). */
  readonly probeConnections: number
  /**
   * TLS handshakes at once: each takes a millisecond or two of the event loop, so together they can delay
   * requests. One network has at most three quarters of them.
   */
  readonly handshakes: number
  /** After this time, a handshake is no longer counted. */
  readonly handshake: number
  /** Requests that one connection may send before the first is answered (pipelining). */
  readonly pipelined: number
  /** The same for all connections together. */
  readonly allPipelined: number
}

export const DEFAULT_LIMITS: Limits = {
  head: 10_000,
  request: 120_000,
  grace: 10_000,
  leastRate: 1024,
  piece: 120_000,
  stalled: 30_000,
  largeAnswer: 1024 * 1024,
  leastLargeRate: 32 * 1024,
  idle: 120_000,
  linger: 2_000,
  longestLinger: 10_000,
  check: 250,
  requestLine: 8192,
  headBytes: 16 * 1024,
  connections: 512,
  probeConnections: 4,
  handshakes: 32,
  handshake: 500,
  pipelined: 128,
  allPipelined: 2048,
}
