/**
 * A resource is a value: its path, and for each method a description, the
 * necessary rights and a handler. The router, access control, the lists at `/`
 * and `/2`, the reference and several tests use the same table of such values.
 */
import type { Granted } from '../auth/grants.ts'
import { type Need, type Permission, PUBLIC, toRead } from '../auth/permissions.ts'
import type { Backend } from '../backend/backend.ts'
import type { Wanted } from '../events/view.ts'
import { isJsonObject, type Json, type JsonObject } from '../json/json.ts'
import { LazyList, type List } from '../json/lazy-list.ts'
import type { Schema } from '../model/check.ts'
import type { Release } from '../model/version.ts'
import type { QueryString } from './query-string.ts'

/** The names in braces of a path, e.g. `'node_name'` of `'/2/nodes/{node_name}/tags'`. */
type NamesIn<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? Name | NamesIn<Rest>
  : never

/** The parts of the path that its names in braces match; never percent-decoded. */
export type PathParams<Path extends string> = { readonly [Name in NamesIn<Path>]: string }

/** The arguments of a handler: plain values, independent of HTTP. */
export interface Call<Params = Readonly<Record<string, string>>> {
  readonly params: Params
  readonly query: QueryString
  /** The decoded body; undefined if the request has none. */
  readonly body: Json | undefined
  /** The authenticated user; undefined without credentials. If the answer is cached, other users get it too. */
  readonly user: string | undefined
  /** Within what the client may do something else (see Authorizer); unless given, it may do what strangers may. */
  readonly within?: (need: Need) => Granted['within'] | undefined
  /** Who asks, for the reason trail of a job: `user=alice;request=1f`; empty if that is not wanted. */
  readonly requester?: string
  /** Submits a job, perhaps with a record of it; see audit.ts. */
  readonly submit?: (opcodes: readonly JsonObject[], submit: () => Promise<number>) => Promise<number>
  readonly backend: Backend
  /** For a method that waits: how many seconds it may wait; 0 to answer with the current state. */
  readonly patience: number
  /** Aborted when no client waits for the answer any more. */
  readonly signal: AbortSignal
}

/**
 * The most bytes of a body, by its use. Ganeti's own daemon accepts bodies of any
 * length, from any client and for any method.
 */
export const BodyLimit = {
  /** For a method without a body: enough to tell a client that what it sent is not JSON. */
  unused: 4 * 1024,
  /** For a job whose parameters are in path and query; the body may name jobs that it depends on. */
  jobIds: 64 * 1024,
  /** For a query: long lists of names in a filter. */
  question: 1024 * 1024,
  /** For a job: many instances may be created at once, with about 500 bytes for each. */
  job: 4 * 1024 * 1024,
} as const

/** A value to send as JSON; it may be a lazy list, or an object with lazy lists as members. */
export type Answer = Json | List<Json> | { readonly [key: string]: Json | List<Json> }

/** Gives an answer with its lazy lists made into arrays. */
export function plainAnswer(answer: Answer): Json {
  if (answer instanceof LazyList) return [...answer]
  if (!isJsonObject(answer as Json)) return answer as Json
  const members = Object.entries(answer as { readonly [key: string]: Json | List<Json> })
  return Object.fromEntries(members.map(([key, member]) => [key, plainAnswer(member)]))
}

/** Gives the value to send as JSON; throws a Failure if the request cannot be fulfilled. */
export type Handler<Params> = (call: Call<Params>) => Promise<Answer>

/** A parameter of the query string, for the description of the API. */
export interface Parameter {
  readonly name: string
  readonly doc: string
  /** What its value may be once it is decoded; a list is separated by commas, unless `repeats`. */
  readonly schema: Schema
  /** Whether it must be given. */
  readonly required?: boolean
  /** Whether each member of a list is a parameter of its own. */
  readonly repeats?: boolean
}

/** The schema of an integer of which only whether it is 0 matters. */
export const flagSchema: Schema = { type: 'integer', default: 0 }

/** A body that a method takes, for the description of the API. */
export interface Body {
  readonly schema: Schema
  /** Whether a request must have one. */
  readonly required: boolean
}

/** A request that works on the sample cluster (test/fixtures/cluster.yaml), or does after those of other methods. */
export interface Example {
  /** Names in braces that are not those of other examples (see path-names.ts). */
  readonly names?: { readonly [name: string]: string }
  /** The query string. */
  readonly query?: string
  readonly body?: Json
}

/** What a description of the API needs to know of a method beside what a request needs. */
export interface Details {
  /** What client libraries call it: as Ganeti's own Python library does, where that has it. */
  readonly operationId?: string
  readonly parameters?: readonly Parameter[]
  /** The body; none unless given. */
  readonly body?: Body
  /** What it answers with. */
  readonly answer?: Schema
  readonly example?: Example
}

/**
 * What an answer depends on apart from path and query: `nothing`, so that it may be cached as long as the program
 * runs; only cluster `state`, so that it may be cached until that changes; or `more` (jobs, the time).
 */
export type Dependence = 'nothing' | 'state' | 'more'

/** A method; of permissions, it needs one, or none. */
export interface Method<Params = Readonly<Record<string, string>>> extends Details, Need {
  readonly doc: string
  /** The first release of Ganeti that has it; all that are known, unless given. */
  readonly since?: Release
  readonly parameters: readonly Parameter[]
  readonly dependsOn: Dependence | ((params: Params) => Dependence)
  /** Set if a node has all that the answer depends on in files: the cluster's configuration and the jobs. */
  readonly ofJobFiles?: true
  /**
   * For a method that waits for an event (long polling): how many seconds it may wait. Such requests have a
   * limit of their own.
   */
  readonly waits?: number
  /** Whether the answer to a request may be large; throws Failure `invalid` if a parameter is wrong. */
  readonly large?: (query: QueryString, body: Json | undefined) => boolean
  /** The most bytes of an answer, if a client can ask for any number of fields; default: no limit. */
  readonly answerLimit?: number
  /** The most bytes of a body; default: `BodyLimit.unused`, for a method without a body. */
  readonly bodyLimit?: number
  /** Permissions that some requests need beside those of the method, by what they ask for. */
  readonly furtherPermissions?: (query: QueryString, body: Json | undefined) => readonly Permission[]
  /** What a request needs instead of what the method says: any one of these, by what it asks for. */
  readonly needsOneOf?: (query: QueryString) => readonly Need[]
  /** Set if it changes nothing though it is not a GET. */
  readonly onlyReads?: true
  /** The opcodes of the job that it submits, if it submits one. */
  readonly submits?: readonly string[]
  /** For a method whose answer goes on with what happens: what of that its client wants. */
  readonly follows?: (query: QueryString, lastEventId: string | undefined) => Wanted
  readonly handle: Handler<Params>
}

/** What the answer to a request depends on apart from path and query. */
export function dependenceOf({ dependsOn }: Method, params: Readonly<Record<string, string>>): Dependence {
  return typeof dependsOn === 'function' ? dependsOn(params) : dependsOn
}

/** What a request needs. */
export function needOf(method: Method, query: QueryString, body: Json | undefined): Need {
  const { permissions, access, furtherPermissions } = method
  return { permissions: [...permissions, ...(furtherPermissions?.(query, body) ?? [])], access }
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
  // A handler uses only the names of its own path, and the router provides those.
  return { path, doc, methods: methods as Resource['methods'] }
}

/** A method that reads cluster state, open to strangers unless reads are closed to them. */
export function open<Params>(
  permission: Permission,
  doc: string,
  handle: Handler<Params>,
  details: Details = {},
): Method<Params> {
  return guarded(toRead(permission), doc, handle, details)
}

/** An answer that is the same for every cluster, and public. */
export function fixed<Params>(doc: string, answer: Json, details: Details = {}): Method<Params> {
  return { ...guarded<Params>(PUBLIC, doc, async () => answer, details), dependsOn: 'nothing' }
}

/** A method that reads cluster state. */
export function guarded<Params>(
  { permissions, access }: Need,
  doc: string,
  handle: Handler<Params>,
  details: Details = {},
): Method<Params> {
  return { doc, permissions, access, parameters: [], ...details, dependsOn: 'state', handle }
}

/** A method whose answer depends on more than cluster state (jobs, the time). */
export function live<Params>(
  need: Need,
  doc: string,
  handle: Handler<Params>,
  details: Details = {},
): Method<Params> {
  return { ...guarded(need, doc, handle, details), dependsOn: 'more' }
}
