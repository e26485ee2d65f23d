/** What all connections of a server share. */
import type { Limits } from './limits.ts'
import type { App } from './message.ts'

/** What there is to log about a request; texts are as the client sent them, so escape them. */
export interface RequestRecord {
  /** Address and port. */
  readonly peer: string
  /** The first line; undefined where it cannot be told. */
  readonly line: string | undefined
  /** What was sent; undefined where the connection was lost before. */
  readonly status: number | undefined
  readonly user: string | undefined
  /** What was thrown, where it is more than an ordinary refusal. */
  readonly cause: unknown
}

export interface Service {
  readonly app: App
  readonly serverName: string
  readonly limits: Limits
  readonly logRequest: (record: RequestRecord) => void
  readonly logDebug: (message: string) => void
  /** How many requests wait behind others of their connections, in all. */
  pipelined: number
  /** How many requests were answered, in all. */
  answered: number
}
