/**
 * The seam: what resources may ask of a cluster, in the words of Ganeti's own
 * LUXI protocol, so that a handler cannot tell which backend answers.
 *
 * Every verb may also raise the Failures of the way to the cluster:
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

/** What a query says of a field, besides its values. */
export interface FieldDefinition {
  readonly name: string
  readonly title: string
  readonly kind: FieldKind
  readonly doc: string
}

/** How a cell of a query's answer came out: Ganeti's RS_* numbers. */
export const ResultStatus = { normal: 0, unknown: 1, noData: 2, unavailable: 3, offline: 4 } as const
export type ResultStatus = (typeof ResultStatus)[keyof typeof ResultStatus]

/** A cell; its value is null unless the status is `normal`. */
export type Cell = readonly [ResultStatus, Json]

/** A query is refused whose answer would have more bytes: fields and objects can be multiplied at will. */
export const MOST_QUERY_BYTES = 64 * 1024 * 1024

export interface QueryResult {
  readonly fields: readonly FieldDefinition[]
  /** A row for each object; rows may be made when they are asked for. */
  readonly data: List<readonly Cell[]>
}

export type TagKind = 'cluster' | 'instance' | 'network' | 'node' | 'nodegroup'

export interface Backend {
  /**
   * Rises whenever an answer may have changed; equal numbers mean equal
   * answers. Null where that cannot be known (a live cluster).
   */
  readonly generation: number | null

  /** Which Ganeti the cluster runs, as far as that is known without asking; undefined before a live cluster has told. */
  readonly knownVersion: Version | undefined
  /** Which Ganeti the cluster runs. */
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
   * natural order where `names` is empty; a row has one value for each field,
   * null where there is none.
   * @param signal has it given up as soon as it would wait, or is long; then throws the signal's reason
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
   * Rows of cells for the objects that a filter lets through (null: all), in
   * natural order, or in the filter's where it is only names. Unknown fields
   * answer `unknown` cells, not an error.
   * @param what a QueryResource
   * @param filter Ganeti's filter in its JSON form, e.g. `["=", "name", "inst1"]`
   * @throws Failure `invalid` for an unknown resource or a broken filter, `not-found` where a filter of
   *   names alone has an unknown one, `too-large` where more than MOST_QUERY_BYTES had to be received
   */
  query(what: string, fields: readonly string[], filter: Json, signal?: AbortSignal): Promise<QueryResult>

  /**
   * Definitions of the named fields of a QueryResource (unknown ones of kind `unknown`), or of all in natural order for null.
   * @throws Failure `invalid` for an unknown resource
   */
  queryFields(what: string, fields: readonly string[] | null): Promise<readonly FieldDefinition[]>

  /**
   * Hands opcodes over to be run one after the other. Parameters that are left out have the defaults of
   * the cluster's version.
   * @returns the new job's id
   * @throws Failure `unavailable` where no job can be taken, `unsupported` where none ever will
   */
  submitJob(opcodes: readonly JsonObject[]): Promise<number>

  /**
   * Waits until a job differs from what the caller knows of it.
   * @returns null after `timeout` seconds without a change; with 0, how the job is if it differs now
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
   * Takes a job out of the queue, or asks it to stop, if it has not begun.
   * @returns whether that was done, and a sentence about it; an unknown job is no Failure
   */
  cancelJob(id: string): Promise<readonly [boolean, string]>

  /**
   * Puts a rule of the job filter in the place of another, or adds it.
   * @param uuid which rule; one that is not there is made, and null asks for a new UUID
   * @returns the rule's UUID
   * @throws Failure as `submitJob` does, and `invalid` for a rule that makes no sense
   */
  replaceFilter(uuid: string | null, rule: NewFilterRule): Promise<string>

  /**
   * Removes a rule of the job filter.
   * @throws Failure as `submitJob` does, and `not-found` for an unknown UUID
   */
  deleteFilter(uuid: string): Promise<void>

  /** Lets go of whatever is held open; no verb may be called afterwards. */
  close(): Promise<void>
}

/** An older state of the cluster, for when the present one cannot be asked for. */
export interface StaleState {
  readonly backend: Backend
  /** From when it is. */
  readonly asOf: Date
}
