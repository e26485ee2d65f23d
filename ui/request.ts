/** A request to the API as a value, so that it can be shown before it is sent. */

export interface ApiRequest {
  readonly method: string
  readonly path: string
  readonly query?: readonly (readonly [name: string, value: string])[]
  readonly body?: unknown
}

/** Path and query string. */
export function targetOf({ path, query = [] }: ApiRequest): string {
  const text = query
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .join('&')
  return text === '' ? path : `${path}?${text}`
}

/** What will be asked, for people to read. */
export function textOf(request: ApiRequest): string {
  const line = `${request.method} ${targetOf(request)}`
  return request.body === undefined ? line : `${line}\n${JSON.stringify(request.body, undefined, 2)}`
}

/** A command for a shell that sends it; curl asks for the password. */
export function curlLine(request: ApiRequest, user: string | undefined): string {
  const words = ['curl']
  if (user !== undefined) words.push('-u', quoted(user))
  if (request.method !== 'GET') words.push('-X', request.method)
  if (request.body !== undefined) {
    words.push('-H', quoted('Content-Type: application/json'), '-d', quoted(JSON.stringify(request.body)))
  }
  words.push(quoted(location.origin + targetOf(request)))
  return words.join(' ')
}

/** A word of a shell. */
function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
