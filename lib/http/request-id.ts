/**
 * Names each request, so that an answer, the lines of the logs and a job can be
 * found from one another (X-Request-Id). A client or a proxy may name it; else
 * the name is a random prefix of this process and a serial number, as a random
 * number for each request would cost more than a cached answer.
 */
import { randomBytes } from 'node:crypto'

/** What clients may send; anything else is replaced. */
const VALID = /^[\w.-]{1,64}$/

/** Short, as V8 joins strings of less than 13 characters at a third of the cost. */
const prefix = `${randomBytes(4).readUInt32BE().toString(36)}-`
let made = 0

/** The name that a client gave to its request, if it is valid. */
export function validRequestId(header: string | undefined): string | undefined {
  return header !== undefined && VALID.test(header) ? header : undefined
}

/** Names a request by its header. */
export function nameRequest(header: string | undefined): { id: string; clientsId: string | undefined } {
  const clientsId = validRequestId(header)
  return { id: clientsId ?? makeRequestId(), clientsId }
}

/** A name that no other request of this process has, and hardly one of any other. */
export function makeRequestId(): string {
  return prefix + (++made).toString(36)
}
