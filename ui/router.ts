/** Places in the page: `#/instances/web.example.com` is the view `instances` with a name. */

export interface Place {
  readonly view: string
  readonly names: readonly string[]
  readonly query: URLSearchParams
}

/** The place that an address has, from its number sign on. */
export function placeOf(hash: string): Place {
  const [path = '', query = ''] = hash.replace(/^#?\/?/, '').split('?', 2)
  const [view = '', ...names] = path.split('/').map(decoded)
  return { view, names, query: new URLSearchParams(query) }
}

/** The address of a place. */
export function hrefTo(view: string, ...names: readonly (string | number)[]): string {
  return `#/${[view, ...names].map((name) => encodeURIComponent(name)).join('/')}`
}

/** Puts a query string into the address without a new entry in the history. */
export function rememberQuery(query: Readonly<Record<string, string>>): void {
  const [path] = location.hash.split('?', 1)
  const filled = Object.entries(query).filter(([, value]) => value !== '')
  const text = new URLSearchParams(filled).toString()
  history.replaceState(null, '', `${path || '#/'}${text === '' ? '' : `?${text}`}`)
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}
