/**
 * A resource is a value: its path, and for each method what it does, who may
 * and how it answers. The router, access control, the lists at `/` and `/2`,
 * the reference and several tests read the same table of such values.
 */
import type { Right } from '../auth/rights.ts'
import type { Backend } from '../backend/backend.ts'
import { isJsonObject, type Json } from '../json/json.ts'
import { LazyList, type List } from '../json/lazy-list.ts'
import type { Release } from '../model/version.ts'
import type { QueryString } from './query-string.ts'

/** The names in braces of a path, e.g. `'node_name'` of `'/2/nodes/{node_name}/tags'`. */
type NamesIn<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? Name | NamesIn<Rest>
  : never

/** What the path matched, by the names in its braces; never percent-decoded. */
export type PathParams<Path extends string> = { readonly [Name in NamesIn<Path>]: string }

/** What a handler gets: plain values, nothing of HTTP. */
export interface Call<Params = Readonly<Record<string, string>>> {
  readonly params: Params
  readonly query: QueryString
  /** The decoded body; undefined where the request has none. */
  readonly body: Json | undefined
  /** Who asks; undefined for people who do not say who they are. Others may get the same answer where it is kept. */
  readonly user: string | undefined
  readonly backend: Backend
  /** For a method that waits: how many seconds it may; 0 to tell how things are now. */
  readonly patience: number
  /** Raised when the client is gone and nobody waits for the answer. */
  readonly signal: AbortSignal
}

/**
 * The most bytes of a body, by what it is for. Ganeti's own daemon takes
 * whatever comes, of everyone and for every method.
 */
export const BodyLimit = {
  /** For a method that takes none: enough to tell clients that what they sent is no JSON. */
  unused: 4 * 1024,
  /** For a job whose parameters are in path and query; the body may name jobs to wait for. */
  jobIds: 64 * 1024,
  /** For what a person or a program asks about: long lists of names in a filter. */
  question: 1024 * 1024,
  /** For a job: many instances may be asked for at once, with some 500 bytes for each. */
  job: 4 * 1024 * 1024,
} as const

/** What is sent as JSON: lists in it that may be long can be lazy, if they are the whole or the outermost object's. */
export type Answer = Json | List<Json> | { readonly [key: string]: Json | List<Json> }

/** An answer with its lists made. */
export function plainAnswer(answer: Answer): Json {
  if (answer instanceof LazyList) return [...answer]
  if (!isJsonObject(answer as Json)) return answer as Json
  const members = Object.entries(answer as { readonly [key: string]: Json | List<Json> })
  return Object.fromEntries(members.map(([key, member]) => [key, plainAnswer(member)]))
}

/** Gives what is sent as JSON; throws a Failure for what cannot be done. */
export type Handler<Params> = (call: Call<Params>) => Promise<Answer>

/** A parameter of the query string, for the reference. */
export interface Parameter {
  readonly name: string
  readonly doc: string
}

/**
 * What else than path and query an answer depends on: `nothing`, so that it may be cached as long as the
 * program runs; cluster `state` alone, so that it may be cached as long as that; or `more` (jobs, the moment).
 */
export type Dependence = 'nothing' | 'state' | 'more'

export interface Method<Params = Readonly<Record<string, string>>> {
  readonly doc: string
  /** Any one of these rights lets a user in; none at all means open to everyone. */
  readonly access: readonly Right[]
  /** The first release of Ganeti that has it; all that are known, unless given. */
  readonly since?: Release
  readonly parameters: readonly Parameter[]
  readonly dependsOn: Dependence | ((params: Params) => Dependence)
  /**
   * How many seconds it may keep a client waiting for something to happen, if it does so at all:
   * such clients are counted apart from those who are worked on.
   */
  readonly waits?: number
  /** Whether an answer may be large, as far as the request tells; throws Failure `invalid` where that is wrong. */
  readonly large?: (query: QueryString, body: Json | undefined) => boolean
  /** The most bytes of an answer, where a client can ask for any number of fields; no bound unless given. */
  readonly answerLimit?: number
  /** The most bytes of a body; `BodyLimit.unused` unless given, for a method that takes none. */
  readonly bodyLimit?: number
  /** Which opcodes the job is made of that it submits, if it submits one. */
  readonly submits?: readonly string[]
  readonly handle: Handler<Params>
}

/** What else than path and query the answer to a request depends on. */
export function dependenceOf({ dependsOn }: Method, params: Readonly<Record<string, string>>): Dependence {
  return typeof dependsOn === 'function' ? dependsOn(params) : dependsOn
}

export type MethodName = 'GET' | 'PUT' | 'POST' | 'DELETE'

export interface Resource {
  readonly path: string
  readonly doc: string
  /** The first release of Ganeti that has it; all that are known, unless given. */
  readonly since?: Release
  readonly methods: { readonly [name in MethodName]?: Method }
}

/** Describes a resource; `path` gives the handlers their typed `params`. */
export function resource<const Path extends string>(
  path: Path,
  doc: string,
  methods: { readonly [name in MethodName]?: Method<PathParams<Path>> },
): Resource {
  // A handler asks for just the names of its own path, and the router fills in those.
  return { path, doc, methods: methods as Resource['methods'] }
}

/** A reading of cluster state that everyone may do (unless the daemon wants authentication for all). */
export function open<Params>(
  doc: string,
  handle: Handler<Params>,
  parameters: readonly Parameter[] = [],
): Method<Params> {
  return { doc, access: [], parameters, dependsOn: 'state', handle }
}

/** An answer that is the same for every cluster. */
export function fixed<Params>(doc: string, answer: Json): Method<Params> {
  return { ...open<Params>(doc, async () => answer), dependsOn: 'nothing' }
}

/** A reading of cluster state for users with one of the rights. */
export function guarded<Params>(
  access: readonly Right[],
  doc: string,
  handle: Handler<Params>,
  parameters: readonly Parameter[] = [],
): Method<Params> {
  return { doc, access, parameters, dependsOn: 'state', handle }
}

/** A method whose answer depends on more than cluster state (on jobs, on the moment). */
export function live<Params>(
  access: readonly Right[],
  doc: string,
  handle: Handler<Params>,
  parameters: readonly Parameter[] = [],
): Method<Params> {
  return { doc, access, parameters, dependsOn: 'more', handle }
}
