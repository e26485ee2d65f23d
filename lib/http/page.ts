/**
 * The page at `/ui/` that shows the cluster in a browser: files that are read
 * once, at the start, and kept as they are sent. They hold no data, so everyone
 * may have them, as a browser must before it can ask for a password; the page
 * gets its data from the API, with the rights of its user. It is no resource of
 * the API, so it is not in its lists. Of the daemon it is told when the
 * certificate ends, which every client that connects can see as well.
 */
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import { constants, gzipSync } from 'node:zlib'
import { Failure } from '../failure.ts'
import type { HttpMetrics } from '../metrics/http-metrics.ts'
import type { Request, Response } from './message.ts'
import { acceptsGzip, isTagOf } from './representation.ts'
import { pathOf } from './router.ts'
import { failureResponse, HttpError } from './status.ts'

/** Below it are the files of the page. */
const PAGE = '/ui/'
const FIRST_FILE = 'index.html'
/** Made for each request; the others are files. */
const DAEMON = `${PAGE}daemon.json`

const TYPES: { readonly [extension: string]: string } = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** What the page may load, and who may embed it: itself, and nobody. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const HEADERS = [
  ['Content-Security-Policy', POLICY],
  ['X-Content-Type-Options', 'nosniff'],
  ['Referrer-Policy', 'no-referrer'],
  ['Cross-Origin-Opener-Policy', 'same-origin'],
  ['Cross-Origin-Resource-Policy', 'same-origin'],
  // A browser asks each time whether a file has changed: after an upgrade, old and new files do not meet.
  ['Cache-Control', 'no-cache'],
  ['Vary', 'Accept-Encoding'],
].flat()

const NOTHING = Buffer.alloc(0)

/** A file in the forms in which it is sent. */
interface PageFile {
  readonly type: string
  readonly plain: Form
  readonly gzipped: Form
}

interface Form {
  readonly body: Buffer
  readonly headers: readonly string[]
  readonly tag: string
}

/** The files of the page by their names. */
export type PageFiles = ReadonlyMap<string, PageFile>

/** Gives the answer to a request for the page, or for `/` by a browser; undefined for any other request. */
export type Page = (request: Pick<Request, 'method' | 'target' | 'headers'>) => Response | undefined

/**
 * Reads the files of the page.
 * @param folder what the build has put there
 * @throws Failure `configuration` if they cannot be read, for instance as they were not built
 */
export async function readPage(folder: URL): Promise<PageFiles> {
  try {
    const names = (await readdir(folder, { recursive: true })).filter((name) => extname(name) in TYPES)
    const files = await Promise.all(
      names.map(async (name) => [name, asSent(name, await readFile(new URL(name, folder)))] as const),
    )
    const read = new Map(files)
    if (!read.has(FIRST_FILE)) throw new Error(`${FIRST_FILE} is missing`)
    return read
  } catch (cause) {
    throw new Failure('configuration', 'cannot read the files of the page', { cause })
  }
}

function asSent(name: string, body: Buffer): PageFile {
  const digest = createHash('sha256').update(body).digest('base64url').slice(0, 22)
  const form = (tag: string, bytes: Buffer, ...encoding: string[]): Form => ({
    body: bytes,
    tag,
    headers: [...encoding, 'ETag', tag, ...HEADERS],
  })
  return {
    type: TYPES[extname(name)] as string,
    plain: form(`"${digest}"`, body),
    gzipped: form(
      `"${digest}-gzip"`,
      gzipSync(body, { level: constants.Z_BEST_COMPRESSION }),
      ...['Content-Encoding', 'gzip'],
    ),
  }
}

export interface PageOptions {
  readonly files: PageFiles
  /** Counts the requests for it, under one route. */
  readonly metrics: Pick<HttpMetrics, 'route'>
  /** When the certificate ends, as seconds since the epoch; undefined without one. */
  readonly certificateEnd: () => number | undefined
}

/** Makes the page of its files. */
export function createPage({ files, metrics, certificateEnd }: PageOptions): Page {
  const answer = ({ method, target, headers }: Parameters<Page>[0]): Response => {
    const path = pathOf(target)
    const isRead = method === 'GET' || method === 'HEAD'
    if (path === '/ui' && isRead) return redirect(301)
    if (path === DAEMON && isRead) {
      const told = { certificate_end: certificateEnd() ?? null }
      return { status: 200, headers: HEADERS, body: Buffer.from(`${JSON.stringify(told)}\n`) }
    }
    const file = files.get(path.slice(PAGE.length) || FIRST_FILE)
    if (!path.startsWith(PAGE) || !file) throw new HttpError(404)
    if (!isRead) throw new HttpError(501, `Method ${method} is unsupported for path ${path}`)
    const form = acceptsGzip(headers['accept-encoding']) ? file.gzipped : file.plain
    // One line in the log is enough for a browser that loads the page.
    const common = { headers: form.headers, quiet: file !== files.get(FIRST_FILE) }
    const known = headers['if-none-match']
    if (known !== undefined && (isTagOf(known, file.plain.tag) || isTagOf(known, file.gzipped.tag)))
      return { ...common, status: 304, body: NOTHING }
    return { ...common, status: 200, type: file.type, body: form.body }
  }
  const answerOrFailure = (request: Parameters<Page>[0]): Response => {
    try {
      return answer(request)
    } catch (thrown) {
      return failureResponse(thrown)
    }
  }
  return (request) => {
    const { method, target, headers } = request
    if (target === '/') {
      return (method === 'GET' || method === 'HEAD') && prefersHtml(headers.accept)
        ? { ...redirect(302), counts: metrics.route(method, PAGE) }
        : undefined
    }
    if (!isPage(target)) return undefined
    return { ...answerOrFailure(request), counts: metrics.route(method, PAGE) }
  }
}

/** Whether a target is that of the page, or of a file of it. */
export function isPage(target: string): boolean {
  return target.startsWith('/ui') && /^\/ui(?:[/?]|$)/.test(target)
}

function redirect(status: 301 | 302): Response {
  return {
    status,
    type: 'text/plain; charset=utf-8',
    headers: ['Location', PAGE, 'Vary', 'Accept', 'Cache-Control', 'no-store'],
    body: Buffer.from(`See ${PAGE}\n`),
  }
}

/** Whether an Accept header prefers HTML to JSON, as those of browsers do. */
export function prefersHtml(accept: string | undefined): boolean {
  if (accept === undefined || !/text\/html/i.test(accept)) return false
  const weights = new Map(
    accept.split(',').map((range) => {
      const [name = '', ...parameters] = range.split(';')
      const weight = parameters.map((text) => /^\s*q\s*=\s*([\d.]+)\s*$/i.exec(text)?.[1]).find(Boolean)
      return [name.trim().toLowerCase(), weight === undefined ? 1 : Number(weight)]
    }),
  )
  const json = weights.get('application/json') ?? weights.get('application/*') ?? weights.get('*/*') ?? 0
  return (weights.get('text/html') ?? 0) > json
}
