/**
 * Requests to the API. What was read before is asked for by its entity tag
 * (ETag, If-None-Match), so that nothing is sent or parsed twice. The password
 * is in this object alone, and goes with each request; the browser's own dialog
 * for passwords never opens, as it is told to omit credentials.
 */

/** An answer other than that all is well. */
export class ApiError extends Error {
  constructor(
    /** The status; 0 if there was no answer. */
    readonly status: number,
    message: string,
  ) {
    super(message)
  }

  /** Whether the daemon could not be reached, or is only for the moment not able to answer. */
  get isPassing(): boolean {
    return this.status === 0 || this.status === 502 || this.status === 503 || this.status === 504
  }
}

export interface Answer {
  readonly data: unknown
  /** Whether it is the very data of last time. */
  readonly isSame: boolean
  /** Of what time it is, if the master daemon could not be asked. */
  readonly staleSince: Date | undefined
}

interface Known {
  readonly tag: string
  readonly data: unknown
}

/** How many answers are kept for the next time. */
const MOST_KNOWN = 40

export class Api {
  #authorization: string | undefined
  readonly #known = new Map<string, Known>()

  /** Uses a name and a password from now on; neither without arguments. */
  identify(name?: string, password?: string): void {
    this.#known.clear()
    this.#authorization = name === undefined ? undefined : `Basic ${base64(`${name}:${password ?? ''}`)}`
  }

  /**
   * Reads a resource.
   * @throws ApiError
   */
  async get(path: string): Promise<Answer> {
    const known = this.#known.get(path)
    const response = await this.fetch(path, known ? { headers: { 'If-None-Match': known.tag } } : {})
    const asOf = response.headers.get('Ganeti-State-As-Of')
    const staleSince = asOf === null ? undefined : new Date(asOf)
    if (response.status === 304 && known) return { data: known.data, isSame: true, staleSince }
    if (!response.ok) throw await errorOf(response)
    const data: unknown = await response.json().catch(() => {
      throw new ApiError(0, 'The answer did not arrive whole')
    })
    const tag = response.headers.get('ETag')
    if (tag !== null) this.#know(path, { tag, data })
    return { data, isSame: false, staleSince }
  }

  /**
   * Sends a request that changes something, or a question.
   * @throws ApiError
   */
  async send(method: string, path: string, body?: unknown): Promise<unknown> {
    const response = await this.fetch(path, {
      method,
      ...(body !== undefined && {
        body: JSON.stringify(body),
        headers: { 'Content-Type': 'application/json' },
      }),
    })
    if (!response.ok) throw await errorOf(response)
    return response.json()
  }

  /**
   * Makes a request, with the user's name and password.
   * @throws ApiError with status 0 if there is no answer
   */
  async fetch(
    path: string,
    { headers = {}, ...options }: RequestInit & { headers?: Record<string, string> } = {},
  ) {
    const authorization = this.#authorization
    try {
      return await fetch(path, {
        ...options,
        headers: { ...headers, ...(authorization !== undefined && { Authorization: authorization }) },
        credentials: 'omit',
        cache: 'no-store',
        redirect: 'error',
      })
    } catch (thrown) {
      if (options.signal?.aborted) throw thrown
      throw new ApiError(0, 'The daemon cannot be reached')
    }
  }

  #know(path: string, known: Known): void {
    this.#known.delete(path)
    this.#known.set(path, known)
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= MOST_KNOWN) break
      this.#known.delete(oldest)
    }
  }
}

/** What an answer of failure says. */
export async function errorOf(response: Response): Promise<ApiError> {
  const { status } = response
  const body: unknown = await response.json().catch(() => undefined)
  const { detail, explain, message } = (body ?? {}) as Record<string, unknown>
  const said = [detail, explain, message].find((text) => typeof text === 'string' && text !== '')
  return new ApiError(status, typeof said === 'string' ? unescaped(said) : `Status ${status}`)
}

/** Messages are escaped as if they were for a page of HTML, as Ganeti's are. */
function unescaped(text: string): string {
  const characters: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"', '#x27': "'" }
  return text.replace(/&(lt|gt|amp|quot|#x27);/g, (_, name: string) => characters[name] as string)
}

/** Base64 of a text in UTF-8. */
function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)))
}
