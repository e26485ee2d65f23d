/**
 * Finds the resource of a path: literal paths in a map, others by trying one
 * pattern after the other, with a small cache of the paths found last.
 *
 * Paths are matched as sent, never decoded: a `%` matches no name. There is no
 * precedence, as ambiguous paths are refused when the router is made.
 */
import { patternOfName } from '../resources/path-names.ts'
import { QueryString } from '../resources/query-string.ts'
import type { Resource } from '../resources/resource.ts'

export interface Match {
  readonly resource: Resource
  readonly params: Readonly<Record<string, string>>
}

export type Router = (path: string) => Match | undefined

/** The size of the cache of matched paths. */
const MOST_RECENT = 1000

interface Route {
  readonly resource: Resource
  /** Its groups match the names in the path, in order. */
  readonly pattern: RegExp
  readonly names: readonly string[]
}

/**
 * Makes a router over a table of resources.
 * @throws Error if two of their paths match the same URL: a mistake in the table
 */
export function createRouter(resources: readonly Resource[]): Router {
  for (const [index, { path }] of resources.entries()) {
    const rival = resources.slice(0, index).find((other) => overlap(other.path, path))
    if (rival) throw new Error(`Two resources for one URL: ${rival.path} and ${path}`)
  }
  const routes = resources.map(routeTo)
  const literal = new Map<string, Match>()
  for (const { resource, names } of routes) {
    if (names.length === 0) literal.set(resource.path, { resource, params: {} })
  }
  const patterned = routes.filter(({ names }) => names.length > 0)
  const find = (path: string): Match | undefined => {
    for (const { resource, pattern, names } of patterned) {
      const values = pattern.exec(path)
      if (!values) continue
      return {
        resource,
        params: Object.fromEntries(names.map((name, index) => [name, values[index + 1] ?? ''])),
      }
    }
    return undefined
  }
  const recent = new Map<string, Match>()
  return (path) => {
    const known = literal.get(path) ?? recent.get(path)
    if (known) return known
    // A copy, as a substring would keep the whole string in memory.
    const copy = Buffer.from(path, 'latin1').toString('latin1')
    const found = find(copy)
    if (!found) return undefined
    // Simpler than an LRU, and as good if few paths are requested repeatedly.
    if (recent.size >= MOST_RECENT) recent.clear()
    recent.set(copy, found)
    return found
  }
}

function routeTo(resource: Resource): Route {
  const names: string[] = []
  const parts = segmentsOf(resource.path).map((segment) => {
    const pattern = patternOf(segment)
    if (pattern === undefined) return segment
    names.push(segment.slice(1, -1))
    return `(${pattern})`
  })
  return { resource, pattern: new RegExp(`^/${parts.join('/')}$`), names }
}

/** Whether some URL may match both paths; two names are assumed to have common values. */
function overlap(one: string, other: string): boolean {
  const [ours, theirs] = [segmentsOf(one), segmentsOf(other)]
  return (
    ours.length === theirs.length &&
    ours.every((segment, index) => {
      const rival = theirs[index] ?? ''
      const [pattern, rivalPattern] = [patternOf(segment), patternOf(rival)]
      if (pattern !== undefined) return rivalPattern !== undefined || fits(pattern, rival)
      return rivalPattern !== undefined ? fits(rivalPattern, segment) : segment === rival
    })
  )
}

function fits(pattern: string, segment: string): boolean {
  return new RegExp(`^${pattern}$`).test(segment)
}

function segmentsOf(path: string): string[] {
  return path.slice(1).split('/')
}

/** The pattern of a segment in braces; undefined for a literal one. */
function patternOf(segment: string): string | undefined {
  if (!segment.startsWith('{')) return undefined
  return patternOfName(segment.slice(1, -1))
}

/** The path of a request's target. */
export function pathOf(target: string): string {
  const question = target.indexOf('?')
  return question < 0 ? target : target.slice(0, question)
}

/** The query string of a target. */
export function queryOf(target: string): QueryString {
  return new QueryString(target.slice(pathOf(target).length + 1))
}
