/**
 * One answer in the forms in which it can be sent: plain, compressed (gzip), or
 * as 304 Not Modified (ETag). A client that asks for none of this gets what
 * Ganeti's own daemon would send, and an ETag.
 */
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { Need } from '../auth/permissions.ts'
import type { RouteCounts } from '../metrics/http-metrics.ts'
import type { Encoded } from './encode.ts'
import type { LargeBody } from './large-answers.ts'
import type { RequestHeaders, Response } from './message.ts'

/** The size in bytes from which an answer is compressed. */
const WORTH_COMPRESSING = 1024

const compress = promisify(gzip)
const NOTHING = Buffer.alloc(0)

export interface RepresentationOptions {
  /** Whether to send an ETag: false for an answer that must not be cached. */
  readonly tagged: boolean
  /** For whom it was made, if its ETag must differ from those of others. */
  readonly variant?: string | undefined
  readonly need: Need
  /** Counts it as a large answer, if it is one. */
  readonly large?: LargeBody | undefined
  /** Where its answers are counted. */
  readonly counts?: RouteCounts | undefined
}

/** What is the same for all who get an answer in one form. */
type Form = Pick<Response, 'status' | 'headers' | 'body'>

export class Representation {
  readonly body: Buffer
  /** What a client needs to get it; to be checked for each client. */
  readonly need: Need
  /** Called with the additional bytes when a form is added. */
  onSizeChange: (bytes: number) => void = () => {}
  readonly #large: LargeBody | undefined
  readonly #worthCompressing: boolean
  /** Strong ETags: each form has its own (RFC 9110, 8.8.3.3). */
  readonly #tag: string
  readonly #gzipTag: string
  readonly #counts: RouteCounts | undefined
  readonly #asItIs: Form
  readonly #known: Form
  readonly #gzipKnown: Form
  #gzipped: Form | undefined
  #compressing: Promise<Form> | undefined

  constructor({ body, digest }: Encoded, { tagged, variant, need, large, counts }: RepresentationOptions) {
    const name = variant === undefined ? digest : `${digest}-${variant}`
    this.body = body
    this.need = need
    this.#large = large
    this.#counts = counts
    this.#worthCompressing = body.length >= WORTH_COMPRESSING
    this.#tag = tagged ? `"${name}"` : ''
    this.#gzipTag = tagged ? `"${name}-gzip"` : ''
    const vary = this.#worthCompressing ? ['Vary', 'Accept-Encoding'] : []
    const headers = [...etag(this.#tag), ...vary]
    this.#asItIs = { status: 200, headers, body }
    this.#known = { status: 304, headers, body: NOTHING }
    this.#gzipKnown = { status: 304, headers: [...etag(this.#gzipTag), ...vary], body: NOTHING }
  }

  /** The memory of its forms in bytes. */
  get bytes(): number {
    return this.body.length + (this.#gzipped?.body.length ?? 0)
  }

  /** Whether it is in the cache. */
  set isCached(isCached: boolean) {
    if (this.#large) this.#large.isCached = isCached
  }

  /**
   * Gives the answer in the form that a request asks for; a promise only if it must be compressed first.
   * @param user who gets it
   */
  respond(headers: RequestHeaders, user?: string): Response | Promise<Response> {
    const release = this.#large?.addReader()
    const form = this.#inForm(headers)
    if (!(form instanceof Promise)) return this.#response(form, user, release)
    return form.then(
      (made) => this.#response(made, user, release),
      (thrown) => {
        release?.()
        throw thrown
      },
    )
  }

  /** Makes one answer. Its members are named, as copying them (`...`) costs a quarter of a cached read. */
  #response(
    { status, headers, body }: Form,
    user: string | undefined,
    release: (() => void) | undefined,
  ): Response {
    if (body.length > 0) return { status, headers, body, counts: this.#counts, user, release }
    release?.()
    return { status, headers, body, counts: this.#counts, user }
  }

  #inForm(headers: RequestHeaders): Form | Promise<Form> {
    const compressed = this.#worthCompressing && acceptsGzip(headers['accept-encoding'])
    if (this.#isKnown(headers['if-none-match'])) return compressed ? this.#gzipKnown : this.#known
    return compressed ? (this.#gzipped ?? this.#gzip()) : this.#asItIs
  }

  /** Whether If-None-Match has the ETag of any form of this answer. */
  #isKnown(ifNoneMatch: string | undefined): boolean {
    if (ifNoneMatch === undefined || this.#tag === '') return false
    return isTagOf(ifNoneMatch, this.#tag) || isTagOf(ifNoneMatch, this.#gzipTag)
  }

  /** Compresses once; concurrent requests share the work (request coalescing). */
  #gzip(): Promise<Form> {
    this.#compressing ??= this.#compress().finally(() => {
      this.#compressing = undefined
    })
    return this.#compressing
  }

  /** Compresses off the event loop. */
  async #compress(): Promise<Form> {
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

/** Whether If-None-Match has a tag; comparison is weak (RFC 9110, 13.1.2). */
export function isTagOf(ifNoneMatch: string, tag: string): boolean {
  // Fast path for the usual header with a single tag.
  if (ifNoneMatch === tag || ifNoneMatch.trim() === '*') return true
  return (
    ifNoneMatch.includes(tag) &&
    ifNoneMatch.split(',').some((listed) => listed.trim().replace(/^W\//, '') === tag)
  )
}

/** Whether an Accept-Encoding header has gzip with a weight other than zero. */
export function acceptsGzip(acceptEncoding: string | undefined): boolean {
  if (acceptEncoding === undefined) return false
  for (const coding of acceptEncoding.split(',')) {
    const [name, weight] = coding.split(';')
    if (name?.trim().toLowerCase() !== 'gzip') continue
    return !/^\s*q\s*=\s*0(\.0*)?\s*$/i.test(weight ?? '')
  }
  return false
}
