/** What a connection may take, with the reasons. Two are Ganeti's: a first line of 8192 bytes, and 10 seconds for a head. */

/** Times are in milliseconds, rates in bytes a second. */
export interface Limits {
  /** For a TLS handshake, and then for the head of a request. */
  readonly head: number
  /** For a request as a whole, its body included. */
  readonly request: number
  /** A body may begin this slowly; from then on, it has to have come at `leastRate` on average. */
  readonly grace: number
  /** See `grace`. */
  readonly leastRate: number
  /**
   * How long a piece of an answer (see exchange.ts) may take to leave: slower readers are cut off. What we see is
   * when the kernel takes it, which has a buffer of some megabytes, and takes pieces in bursts of one or two.
   */
  readonly piece: number
  /** From so many bytes on, an answer has to be taken at `leastLargeRate` as a whole, too, as it takes memory meanwhile. */
  readonly largeAnswer: number
  readonly leastLargeRate: number
  /** Between two requests: longer than clients keep connections (curl 118 seconds, Go 90). */
  readonly idle: number
  /** After the last answer of a connection, for a client that sends nothing more and does not close its side. */
  readonly linger: number
  /** The same, for one that goes on sending what nobody reads. */
  readonly longestLinger: number
  /** How often the times are looked at. */
  readonly check: number
  /** Bytes of a request's first line. */
  readonly requestLine: number
  /** Bytes of a request's head altogether; Ganeti's 4096 are too few for a token or a proxy's additions. */
  readonly headBytes: number
  /** Connections there may be, whatever they do. */
  readonly connections: number
  /**
   * TLS handshakes under way at once: each costs a millisecond or two of the event loop, so these are what
   * others may have to wait for. A network holds three quarters of them at most.
   */
  readonly handshakes: number
  /** After so long, a handshake is no longer counted as one of those. */
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
  largeAnswer: 1024 * 1024,
  leastLargeRate: 32 * 1024,
  idle: 120_000,
  linger: 2_000,
  longestLinger: 10_000,
  check: 250,
  requestLine: 8192,
  headBytes: 16 * 1024,
  connections: 512,
  handshakes: 32,
  handshake: 500,
  pipelined: 128,
  allPipelined: 2048,
}
