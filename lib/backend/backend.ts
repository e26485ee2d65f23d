/**
 * The interface between resources and a cluster, with the operations of Ganeti's
 * own LUXI protocol, so that handlers are independent of the backend.
 *
 * Every method may also throw the Failures of the connection to the cluster:
 * `no-master`, `no-answer`, `bad-answer`, `unavailable`.
 */
import type { Json, JsonObject } from '../json/json.ts'
import type { List } from '../json/lazy-list.ts'
import type { NewFilterRule } from '../model/filter-rule.ts'
import type { Version } from '../model/version.ts'

export type QueryResource =
  | 'cluster'
  | 'export'
  | 'extstorage'
  | 'filter'
  | 'group'
  | 'instance'
  | 'job'
  | 'lock'
  | 'network'
  | 'node'
  | 'os'

export type FieldKind = 'unknown' | 'text' | 'bool' | 'number' | 'float' | 'unit' | 'timestamp' | 'other'

/** The definition of a field of a query. */
export interface FieldDefinition {
  readonly name: string
  readonly title: string
  readonly kind: FieldKind
  readonly doc: string
}

/** The result status of a cell: Ganeti's RS_* numbers. */
export const ResultStatus = { normal: 0, unknown: 1, noData: 2, unavailable: 3, offline: 4 } as const
export type ResultStatus = (typeof ResultStatus)[keyof typeof ResultStatus]

/** A cell; its value is null unless the status is `normal`. */
export type Cell = readonly [ResultStatus, Json]

/** The most bytes of a query's answer; larger ones are refused, as a client can ask for any number of fields. */
export const MOST_QUERY_BYTES = 64 * 1024 * 1024

export interface QueryResult {
  readonly fields: readonly FieldDefinition[]
  /** A row for each object; rows may be lazy. */
  readonly data: List<readonly Cell[]>
}

export type TagKind = 'cluster' | 'instance' | 'network' | 'node' | 'nodegroup'

export interface Backend {
  /**
   * A number that rises whenever an answer may have changed; equal numbers mean
   * equal answers. Null if that is unknown (a live cluster).
   */
  readonly generation: number | null

  /** The cluster's version of Ganeti, if known without a query; undefined before a live cluster was asked. */
  readonly knownVersion: Version | undefined
  /** The cluster's version of Ganeti. */
  version(): Promise<Version>

  /** What `gnt-cluster info` shows: name, master, versions and all defaults, as RAPI 2's /2/info has them. */
  queryClusterInfo(): Promise<JsonObject>

  /**
   * Tags of one object, sorted; `name` is '' for the cluster.
   * @throws Failure `not-found` for an unknown name
   */
  queryTags(kind: TagKind, name: string): Promise<readonly string[]>

  /**
   * One row for each name (short forms allowed), or for all objects in
   * natural order if `names` is empty; a row has one value for each field,
   * null if there is none.
   * @param signal aborts it when it would wait, or takes long; then throws the signal's reason
   * @throws Failure `not-found` for an unknown name, `invalid` for an unknown field
   */
  queryInstances(
    names: readonly string[],
    fields: readonly string[],
    signal?: AbortSignal,
  ): Promise<readonly (readonly Json[])[]>
  /** As `queryInstances`, for nodes. */
  queryNodes(
    names: readonly string[],
    fields: readonly string[],
    signal?: AbortSignal,
  ): Promise<readonly (readonly Json[])[]>
  /** As `queryInstances`, for node groups. */
  queryGroups(
    names: readonly string[],
    fields: readonly string[],
    signal?: AbortSignal,
  ): Promise<readonly (readonly Json[])[]>
  /** As `queryInstances`, for networks. */
  queryNetworks(
    names: readonly string[],
    fields: readonly string[],
    signal?: AbortSignal,
  ): Promise<readonly (readonly Json[])[]>

  /**
   * As `queryInstances`, for jobs; ids are decimal numbers.
   * @throws Failure `not-found` for an unknown id
   */
  queryJobs(
    ids: readonly string[],
    fields: readonly string[],
    signal?: AbortSignal,
  ): Promise<readonly (readonly Json[])[]>
  /** As `queryInstances`, for the rules of the job filter, in the order of their UUIDs. */
  queryFilters(
    uuids: readonly string[],
    fields: readonly string[],
    signal?: AbortSignal,
  ): Promise<readonly (readonly Json[])[]>

  /**
   * Rows of cells for the objects that match a filter (null: all), in natural
   * order, or in the filter's order if it only has names. Unknown fields give
   * `unknown` cells, not an error.
   * @param what a QueryResource
   * @param filter Ganeti's filter in its JSON form, e.g. `["=", "name", "inst1"]`
   * @throws Failure `invalid` for an unknown resource or an invalid filter, `not-found` if a filter that
   *   only has names has an unknown one, `too-large` if more than MOST_QUERY_BYTES had to be received
   */
  query(what: string, fields: readonly string[], filter: Json, signal?: AbortSignal): Promise<QueryResult>

  /**
   * Definitions of the named fields of a QueryResource (unknown ones of kind `unknown`), or of all in natural order for null.
   * @throws Failure `invalid` for an unknown resource
   */
  queryFields(what: string, fields: readonly string[] | null): Promise<readonly FieldDefinition[]>

  /**
   * Submits opcodes as a job, to be run one after the other. Missing parameters have the defaults of the
   * cluster's version.
   * @returns the new job's id
   * @throws Failure `unavailable` if no job is accepted now, `unsupported` if this backend never accepts jobs
   */
  submitJob(opcodes: readonly JsonObject[]): Promise<number>

  /**
   * Waits until a job differs from the state that the caller knows (long polling).
   * @returns null after `timeout` seconds without a change; 0 only compares the current state
   * @throws Failure `not-found` for an unknown job
   */
  waitForJobChange(
    id: string,
    fields: readonly string[],
    previous: { readonly jobInfo: Json; readonly logSerial: Json },
    timeout: number,
    signal: AbortSignal,
  ): Promise<{ readonly jobInfo: Json; readonly logEntries: Json } | null>

  /**
   * Removes a job from the queue, or asks it to stop, if it has not begun.
   * @returns whether that was done, and a message; an unknown job is not a Failure
   */
  cancelJob(id: string): Promise<readonly [boolean, string]>

  /**
   * Replaces or adds a rule of the job filter.
   * @param uuid the rule to replace; it is added if it does not exist; null for a new rule with a new UUID
   * @returns the rule's UUID
   * @throws Failure as `submitJob` does, and `invalid` for an invalid rule
   */
  replaceFilter(uuid: string | null, rule: NewFilterRule): Promise<string>

  /**
   * Removes a rule of the job filter.
   * @throws Failure as `submitJob` does, and `not-found` for an unknown UUID
   */
  deleteFilter(uuid: string): Promise<void>

  /** Closes all resources; no method may be called afterwards. */
  close(): Promise<void>
}

/** An older state of the cluster, for when the current one cannot be queried (stale-if-error). */
export interface StaleState {
  readonly backend: Backend
  /** Its time. */
  readonly asOf: Date
  /** How often it had been changed: the greater, the newer (`serial_no`). */
  readonly serial: number
}
