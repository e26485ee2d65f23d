/**
 * A second reader of HTTP requests, as narrow as RFC 9112 allows a reader to
 * be. What it reads as a request is one for everybody; of what it does not, it
 * says nothing.
 */

export interface StrictRequest {
  readonly line: string
  readonly method: string
  readonly target: string
  readonly version: '1.0' | '1.1'
  /** By names in lower case. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: Buffer
}

export interface StrictReading {
  /** What stands at the beginning, as far as it is beyond doubt. */
  readonly requests: readonly StrictRequest[]
  /** Whether there is nothing else. */
  readonly whole: boolean
}

const REQUEST_LINE = /^((?:GET|PUT|POST|DELETE|HEAD|PATCH|OPTIONS) (\/[!"$-;=?-_a-z~]*) HTTP\/(1\.[01]))$/
const HEADER = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*((?:[!-~](?:[\t -~]*[!-~])?)?)[ \t]*$/
const MOST_HEAD = 8 * 1024
const MOST_LINE = 8000

export function readStrictly(bytes: Buffer): StrictReading {
  const requests: StrictRequest[] = []
  let at = 0
  while (at < bytes.length) {
    const read = readRequest(bytes, at)
    if (!read) return { requests, whole: false }
    requests.push(read.request)
    at = read.end
  }
  return { requests, whole: true }
}

function readRequest(bytes: Buffer, start: number): { request: StrictRequest; end: number } | undefined {
  const endOfHead = bytes.indexOf('\r\n\r\n', start)
  if (endOfHead < 0 || endOfHead - start > MOST_HEAD) return undefined
  const [first = '', ...rest] = bytes.toString('latin1', start, endOfHead).split('\r\n')
  const [, line, target, version] = REQUEST_LINE.exec(first) ?? []
  if (line === undefined || target === undefined || line.length > MOST_LINE) return undefined
  const headers = new Map<string, string>()
  for (const text of rest) {
    const [, name, value] = HEADER.exec(text) ?? []
    if (name === undefined || value === undefined) return undefined
    const key = name.toLowerCase()
    // Some headers may stand twice, but who is to say which.
    if (headers.has(key)) return undefined
    headers.set(key, value)
  }
  if (
    version === '1.1' ? !/^[\w.-]+(:\d+)?$/.test(headers.get('host') ?? '') : headers.has('transfer-encoding')
  )
    return undefined
  if (headers.has('upgrade') || headers.has('trailer')) return undefined
  const body = readBody(bytes, endOfHead + 4, headers)
  if (!body) return undefined
  const method = line.slice(0, line.indexOf(' '))
  return {
    request: { line, method, target, version: version as '1.0' | '1.1', headers, body: body.bytes },
    end: body.end,
  }
}

function readBody(bytes: Buffer, start: number, headers: ReadonlyMap<string, string>) {
  const length = headers.get('content-length')
  const encoding = headers.get('transfer-encoding')
  if (encoding === undefined) {
    if (length !== undefined && !/^\d{1,7}$/.test(length)) return undefined
    const end = start + Number(length ?? 0)
    return end > bytes.length ? undefined : { bytes: bytes.subarray(start, end), end }
  }
  if (encoding !== 'chunked' || length !== undefined) return undefined
  const pieces: Buffer[] = []
  for (let at = start; ; ) {
    const endOfLine = bytes.indexOf('\r\n', at)
    if (endOfLine < 0) return undefined
    const size = bytes.toString('latin1', at, endOfLine)
    if (!/^[\da-fA-F]{1,6}$/.test(size)) return undefined
    const from = endOfLine + 2
    const to = from + Number.parseInt(size, 16)
    if (bytes.toString('latin1', to, to + 2) !== '\r\n') return undefined
    if (to === from) return { bytes: Buffer.concat(pieces), end: to + 2 }
    pieces.push(bytes.subarray(from, to))
    at = to + 2
  }
}
