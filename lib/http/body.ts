/**
 * What a request's body must be: nothing at all, or JSON that says it is JSON.
 * Any method may bring one; a GET's matters for `/2/jobs/{job_id}/wait`.
 */
import { type Json, parseJson } from '../json.ts'
import type { Request } from './message.ts'
import { HttpError } from './status.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Receives and decodes the body of a request that has one, be it empty.
 * @param limit the most bytes to take
 * @returns undefined for an empty body
 * @throws HttpError 415 unless its type is exactly `application/json`, 400 for a
 *   broken text, and what `readBody` raises
 */
export async function readJsonBody(request: Request, limit: number): Promise<Json | undefined> {
  // Where the length is known, a wrong type is refused before the body is sent at all.
  if (request.bodyLength !== undefined) checkType(request)
  const bytes = await request.readBody(limit)
  if (bytes.length === 0) return undefined
  checkType(request)
  try {
    return parseJson(utf8.decode(bytes))
  } catch {
    throw new HttpError(400, 'Unable to parse JSON data')
  }
}

function checkType(request: Request): void {
  if (request.headers['content-type']?.toLowerCase() !== 'application/json') throw new HttpError(415)
}
