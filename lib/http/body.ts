/**
 * What a request's body must be: nothing at all, or JSON that says it is JSON.
 * Any method may bring one; a GET's matters for `/2/jobs/{job_id}/wait`.
 */
import type { Json } from '../json.ts'
import { parseJsonInSlices } from '../json-in-slices.ts'
import { JsonBoundError, type JsonBounds } from '../json-outline.ts'
import type { Request } from './message.ts'
import { HttpError } from './status.ts'

/**
 * Nothing in the API nests deeper than some ten levels, a request for a
 * thousand instances has some 50,000 values, and no value of practice is
 * longer than a few certificates. Within these bounds whatever looks at a
 * body's values one by one is done in milliseconds.
 */
const BOUNDS: JsonBounds = { depth: 100, values: 250_000, members: 10_000, scalar: 1024 * 1024 }

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const decode = (bytes: Buffer) => utf8.decode(bytes)

/**
 * Receives and decodes the body of a request that has one, be it empty. A long
 * one is parsed in slices.
 * @param limit the most bytes to take
 * @returns undefined for an empty body
 * @throws HttpError 415 unless its type is exactly `application/json`, 400 for a
 *   broken text or one that nests more than 100 levels deep, 413 for one beyond
 *   the other bounds, and what `readBody` raises
 */
export async function readJsonBody(request: Request, limit: number): Promise<Json | undefined> {
  // Where the length is known, a wrong type is refused before the body is sent at all.
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
