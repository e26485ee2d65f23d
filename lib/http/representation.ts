/**
 * One answer in the forms it can be sent in: as it is, compressed, or not at
 * all where the client has it already. A client that asks for none of this
 * reads what Ganeti's own daemon would send, and an entity tag.
 */
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { Right } from '../auth/rights.ts'
import type { Encoded } from './encode.ts'
import type { LargeBody } from './large-answers.ts'
import type { RequestHeaders, Response } from './message.ts'

/** From how many bytes on compression is worth its while. */
const WORTH_COMPRESSING = 1024

const compress = promisify(gzip)
const NOTHING = Buffer.alloc(0)

export interface RepresentationOptions {
  /** Whether to send an entity tag: false for an answer that is not to be kept by anyone. */
  readonly tagged: boolean
  readonly access: readonly Right[]
  /** What counts it among the large answers, if it is one. */
  readonly large?: LargeBody | undefined
}

export class Representation {
  readonly body: Buffer
  /** Who may see it: what was asked of the one that it was made for, and is to be asked of whoever gets it. */
  readonly access: readonly Right[]
  /** Called with a number of bytes when a form is added. */
  onSizeChange: (bytes: number) => void = () => {}
  readonly #large: LargeBody | undefined
  readonly #worthCompressing: boolean
  /** Strong tags: each form has its own (RFC 9110, 8.8.3.3). */
  readonly #tag: string
  readonly #gzipTag: string
  readonly #asItIs: Response
  readonly #known: Response
  readonly #gzipKnown: Response
  #gzipped: Response | undefined
  #compressing: Promise<Response> | undefined

  constructor({ body, digest }: Encoded, { tagged, access, large }: RepresentationOptions) {
    this.body = body
    this.access = access
    this.#large = large
    this.#worthCompressing = body.length >= WORTH_COMPRESSING
    this.#tag = tagged ? `"${digest}"` : ''
    this.#gzipTag = tagged ? `"${digest}-gzip"` : ''
    const vary = this.#worthCompressing ? ['Vary', 'Accept-Encoding'] : []
    const headers = [...etag(this.#tag), ...vary]
    this.#asItIs = { status: 200, headers, body }
    this.#known = { status: 304, headers, body: NOTHING }
    this.#gzipKnown = { status: 304, headers: [...etag(this.#gzipTag), ...vary], body: NOTHING }
  }

  /** The memory its forms take so far. */
  get bytes(): number {
    return this.body.length + (this.#gzipped?.body.length ?? 0)
  }

  /** Tells whether it is in the cache from now on. */
  set isKept(isKept: boolean) {
    if (this.#large) this.#large.isKept = isKept
  }

  /** Gives the answer in the form that a request asks for; only compressing takes time, and only once. */
  respond(headers: RequestHeaders): Response | Promise<Response> {
    if (!this.#large) return this.#inForm(headers)
    const release = this.#large.taken()
    const taking = (form: Response): Response => {
      if (form.body.length > 0) return { ...form, release }
      release()
      return form
    }
    const form = this.#inForm(headers)
    if (!(form instanceof Promise)) return taking(form)
    return form.then(taking, (thrown) => {
      release()
      throw thrown
    })
  }

  #inForm(headers: RequestHeaders): Response | Promise<Response> {
    const compressed = this.#worthCompressing && acceptsGzip(headers['accept-encoding'])
    if (this.#isKnown(headers['if-none-match'])) return compressed ? this.#gzipKnown : this.#known
    return compressed ? (this.#gzipped ?? this.#gzip()) : this.#asItIs
  }

  /** Whether an If-None-Match names this answer, in whatever form; comparison is weak (RFC 9110, 13.1.2). */
  #isKnown(ifNoneMatch: string | undefined): boolean {
    if (ifNoneMatch === undefined || this.#tag === '') return false
    // As clients send it who ask for nothing else.
    if (ifNoneMatch === this.#tag || ifNoneMatch === this.#gzipTag || ifNoneMatch.trim() === '*') return true
    const tags = ifNoneMatch.split(',').map((tag) => tag.trim().replace(/^W\//, ''))
    return tags.includes(this.#tag) || tags.includes(this.#gzipTag)
  }

  /** Those who ask meanwhile wait for the same. */
  #gzip(): Promise<Response> {
    this.#compressing ??= this.#compress().finally(() => {
      this.#compressing = undefined
    })
    return this.#compressing
  }

  /** Compresses off the event loop. */
  async #compress(): Promise<Response> {
    const body = await compress(this.body)
    const headers = ['Content-Encoding', 'gzip', ...this.#gzipKnown.headers]
    this.#gzipped = { status: 200, headers, body }
    this.onSizeChange(body.length)
    return this.#gzipped
  }
}

function etag(tag: string): string[] {
  return tag === '' ? [] : ['ETag', tag]
}

/** Whether an Accept-Encoding names gzip and does not rule it out with a weight of zero. */
export function acceptsGzip(acceptEncoding: string | undefined): boolean {
  if (acceptEncoding === undefined) return false
  for (const coding of acceptEncoding.split(',')) {
    const [name, weight] = coding.split(';')
    if (name?.trim().toLowerCase() !== 'gzip') continue
    return !/^\s*q\s*=\s*0(\.0*)?\s*$/i.test(weight ?? '')
  }
  return false
}
