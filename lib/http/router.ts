/**
 * Finds the resource that a path names, in a tree of path segments: a lookup
 * costs a step for each segment, however long the table.
 *
 * Paths are matched as sent, never decoded: a `%` fits no name. As two paths
 * that fit one URL are refused when the router is made, there is nothing to
 * know about precedence.
 */
import type { Resource } from '../resources/resource.ts'

export interface Match {
  readonly resource: Resource
  readonly params: Readonly<Record<string, string>>
}

export type Router = (path: string) => Match | undefined

const NAME = /^[\w.-]+$/
const NUMBER = /^\d+$/
/** What a path's `{name}` may look like; whatever is not here is a NAME. */
const PATTERNS: Readonly<Record<string, RegExp>> = { disk: NUMBER, job_id: NUMBER }

/** A place in the tree: what may follow, and the resource that ends here. */
interface Place {
  readonly literals: Map<string, Place>
  readonly names: { readonly pattern: RegExp; readonly place: Place }[]
  end: End | undefined
}

/** A resource, and the names that its path gives to segments; none at all where it gives none. */
interface End {
  readonly resource: Resource
  readonly names: readonly (string | undefined)[]
}

/**
 * Makes a router over a table of resources.
 * @throws Error where two of their paths fit one URL: a mistake in the table
 */
export function createRouter(resources: readonly Resource[]): Router {
  const root = emptyPlace()
  for (const [index, resource] of resources.entries()) {
    const rival = resources.slice(0, index).find((other) => overlap(other.path, resource.path))
    if (rival) throw new Error(`Two resources for one URL: ${rival.path} and ${resource.path}`)
    place(root, resource)
  }
  return (path) => {
    if (!path.startsWith('/')) return undefined
    const segments = path.slice(1).split('/')
    const end = find(root, segments, 0)
    return end && { resource: end.resource, params: paramsOf(end, segments) }
  }
}

function emptyPlace(): Place {
  return { literals: new Map(), names: [], end: undefined }
}

function place(root: Place, resource: Resource): void {
  let here = root
  for (const segment of segmentsOf(resource.path)) {
    const pattern = patternOf(segment)
    let next = pattern
      ? here.names.find((other) => other.pattern === pattern)?.place
      : here.literals.get(segment)
    if (!next) {
      next = emptyPlace()
      if (pattern) here.names.push({ pattern, place: next })
      else here.literals.set(segment, next)
    }
    here = next
  }
  const names = segmentsOf(resource.path).map((segment) =>
    patternOf(segment) ? segment.slice(1, -1) : undefined,
  )
  here.end = { resource, names: names.some((name) => name !== undefined) ? names : [] }
}

function find(here: Place, segments: readonly string[], depth: number): End | undefined {
  const segment = segments[depth]
  if (segment === undefined) return here.end
  const literal = here.literals.get(segment)
  const found = literal && find(literal, segments, depth + 1)
  if (found) return found
  for (const { pattern, place } of here.names) {
    const found = pattern.test(segment) ? find(place, segments, depth + 1) : undefined
    if (found) return found
  }
  return undefined
}

function paramsOf({ names }: End, segments: readonly string[]): Readonly<Record<string, string>> {
  const params: Record<string, string> = {}
  for (const [index, name] of names.entries()) {
    if (name !== undefined) params[name] = segments[index] ?? ''
  }
  return params
}

/** Whether some URL fits both paths; two names are taken to have values in common. */
function overlap(one: string, other: string): boolean {
  const [ours, theirs] = [segmentsOf(one), segmentsOf(other)]
  return (
    ours.length === theirs.length &&
    ours.every((segment, index) => {
      const rival = theirs[index] ?? ''
      const [pattern, rivalPattern] = [patternOf(segment), patternOf(rival)]
      if (pattern) return rivalPattern !== undefined || pattern.test(rival)
      return rivalPattern ? rivalPattern.test(segment) : segment === rival
    })
  )
}

function segmentsOf(path: string): string[] {
  return path.slice(1).split('/')
}

/** The pattern of a segment in braces; undefined for a literal one. */
function patternOf(segment: string): RegExp | undefined {
  if (!segment.startsWith('{')) return undefined
  return PATTERNS[segment.slice(1, -1)] ?? NAME
}
