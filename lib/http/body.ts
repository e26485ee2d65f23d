/**
 * A request's body must be empty, or JSON with the content type of JSON. Any
 * method may have a body; `/2/jobs/{job_id}/wait` uses that of a GET.
 */
import type { Json } from '../json/json.ts'
import { parseJsonInSlices } from '../json/json-in-slices.ts'
import { JsonBoundError, type JsonBounds } from '../json/json-outline.ts'
import type { Request } from './message.ts'
import { HttpError } from './status.ts'

/**
 * Nothing in the API nests deeper than about ten levels, a request for a thousand
 * instances has about 50,000 values, and real values are not longer than a few
 * certificates. Within these bounds, a loop over all values takes milliseconds.
 */
const BOUNDS: JsonBounds = { depth: 100, values: 250_000, members: 10_000, scalar: 1024 * 1024 }

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const decode = (bytes: Buffer) => utf8.decode(bytes)

/**
 * Receives and decodes the body of a request. A long one is parsed in time slices.
 * @param limit the most bytes to accept
 * @returns undefined for an empty body
 * @throws HttpError 415 unless its type is exactly `application/json`, 400 for
 *   invalid JSON or one that nests more than 100 levels deep, 413 for one beyond
 *   the other bounds, and what `readBody` throws
 */
export async function readJsonBody(request: Request, limit: number): Promise<Json | undefined> {
  // If the length is known, a wrong type is refused before the body is received.
  if (request.bodyLength !== undefined) checkType(request)
  const bytes = await request.readBody(limit)
  if (bytes.length === 0) return undefined
  checkType(request)
  try {
    return await parseJsonInSlices(bytes, { bounds: BOUNDS, decode })
  } catch (error) {
    if (!(error instanceof JsonBoundError)) throw new HttpError(400, 'Unable to parse JSON data')
    throw new HttpError(error.bound === 'depth' ? 400 : 413, error.message)
  }
}

function checkType(request: Request): void {
  if (request.headers['content-type']?.toLowerCase() !== 'application/json') throw new HttpError(415)
}
