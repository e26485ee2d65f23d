/**
 * Queries over a configuration: which objects, in which order, and their
 * fields as rows.
 *
 * A query finds its fields once, then goes over the objects. It does so in
 * slices (time slicing), so that other requests do not wait while one asks for
 * everything about 20,000 instances. Rows of cells, of which there can be more
 * than memory bears, are made when they are asked for. Everything a query reads
 * is one Config, which never changes under it.
 */
import { eachInSlices } from '../../../concurrency/time-slicing.ts'
import { Failure } from '../../../failure.ts'
import type { Json } from '../../../json/json.ts'
import { lazyMap } from '../../../json/lazy-list.ts'
import type { Config } from '../../../model/config.ts'
import { findHost, findNamed, isCalled } from '../../../model/lookup.ts'
import { niceSort } from '../../../model/nice-sort.ts'
import type { QueueView } from '../../../model/queue-view.ts'
import type { Cell, FieldDefinition, QueryResource, QueryResult } from '../../backend.ts'
import { candidatesFor, instanceLookUps, type LookUps } from './candidates.ts'
import { clusterFields } from './fields/cluster.ts'
import { exportFields } from './fields/export.ts'
import { extstorageFields } from './fields/extstorage.ts'
import { cellField, type Field, UNKNOWN } from './fields/field.ts'
import { filterFields } from './fields/filter.ts'
import { groupFields } from './fields/group.ts'
import { instanceFields } from './fields/instance.ts'
import { jobFields } from './fields/job.ts'
import { lockFields } from './fields/lock.ts'
import { networkFields } from './fields/network.ts'
import { nodeFields } from './fields/node.ts'
import { osFields } from './fields/os.ts'
import { compileFilter, parseFilter, valuesAskedFor } from './filter-language.ts'

/** A kind of object that can be asked for. */
interface Source<T> {
  readonly fields: readonly Field<T>[]
  /** All of them, in natural order. */
  readonly objects: (config: Config, queue: QueueView) => readonly T[]
  /**
   * One of them by any of its names, or whatever it is known by; throws
   * Failure `not-found`. Kinds without it are only ever listed.
   */
  readonly find?: (config: Config, name: string, queue: QueueView) => T
  /** The full name of one, for kinds that a filter may ask for by name. */
  readonly nameOf?: (object: T) => string
  /** What finds the objects that pass a condition without a look at the others. */
  readonly lookUps?: LookUps<T>
}

/** All that can be asked about. */
interface World {
  readonly config: Config
  readonly queue: QueueView
}

/** So many objects can be put into natural order within a millisecond. */
const FEW_TO_SORT = 500

/** Where there is no job queue. */
const NO_QUEUE: QueueView = { jobs: [], job: () => undefined, locks: [] }

/** A kind of object, ready to answer, whatever its type. */
interface Table {
  readonly definitions: readonly FieldDefinition[]
  define(names: readonly string[]): readonly FieldDefinition[]
  query(world: World, fieldNames: readonly string[], filter: Json, signal?: AbortSignal): Promise<QueryResult>
  rows(
    world: World,
    names: readonly string[],
    fieldNames: readonly string[],
    signal?: AbortSignal,
  ): Promise<Json[][]>
}

const TABLES: { readonly [what in QueryResource]: Table } = {
  cluster: table({ fields: clusterFields, objects: ({ cluster }) => [cluster] }),
  export: table({ fields: exportFields, objects: ({ nodes }) => nodes.all }),
  extstorage: table({ fields: extstorageFields, objects: () => [] }),
  filter: table({
    fields: filterFields,
    objects: ({ filters }) => niceSort(filters, ({ uuid }) => uuid),
    find: ({ filters }, uuid) => {
      const rule = filters.find((one) => one.uuid === uuid)
      if (!rule) throw new Failure('not-found', `Filter rule UUID ${uuid} not found`)
      return rule
    },
  }),
  group: table({
    fields: groupFields,
    objects: ({ groups }) => groups.all,
    find: ({ groups }, name) => findNamed('NodeGroup', groups, name),
    nameOf: ({ name }) => name,
  }),
  instance: table({
    fields: instanceFields,
    objects: ({ instances }) => instances.all,
    find: ({ instances }, name) => findHost('Instance', instances, name),
    nameOf: ({ name }) => name,
    lookUps: instanceLookUps,
  }),
  job: table({
    fields: jobFields,
    objects: (_config, { jobs }) => [...jobs],
    find: (_config, id, queue) => {
      const job = queue.job(id)
      if (!job) throw new Failure('not-found', `Job ${id} not found`)
      return job
    },
  }),
  lock: table({ fields: lockFields, objects: (_config, { locks }) => niceSort(locks, ({ name }) => name) }),
  network: table({
    fields: networkFields,
    objects: ({ networks }) => networks.all,
    find: ({ networks }, name) => findNamed('Network', networks, name),
    nameOf: ({ name }) => name,
  }),
  node: table({
    fields: nodeFields,
    objects: ({ nodes }) => nodes.all,
    find: ({ nodes }, name) => findHost('Node', nodes, name),
    nameOf: ({ name }) => name,
  }),
  os: table({ fields: osFields, objects: ({ oses }) => niceSort(oses ?? [], ({ name }) => name) }),
}

/**
 * Rows of cells for the objects that a filter lets through. Those that a
 * filter asks for by name alone come in the filter's order, others in natural
 * order.
 * @throws Failure `invalid` for an unknown resource, a broken filter, or one that does not fit the values;
 *   `not-found` where a filter of names alone has an unknown one
 */
export async function query(
  config: Config,
  what: string,
  fieldNames: readonly string[],
  filter: Json,
  queue = NO_QUEUE,
  signal?: AbortSignal,
): Promise<QueryResult> {
  return tableOf(what).query({ config, queue }, fieldNames, filter, signal)
}

/**
 * Rows of values, null where there is none: one for each name in the order
 * asked, or for all objects in natural order where `names` is empty.
 * @throws Failure `not-found` for an unknown name, `invalid` for an unknown field
 */
export async function queryRows(
  config: Config,
  what: 'filter' | 'group' | 'instance' | 'job' | 'network' | 'node',
  names: readonly string[],
  fieldNames: readonly string[],
  queue = NO_QUEUE,
  signal?: AbortSignal,
): Promise<Json[][]> {
  return tableOf(what).rows({ config, queue }, names, fieldNames, signal)
}

/**
 * Definitions of the named fields, or of all in natural order for null.
 * @throws Failure `invalid` for an unknown resource
 */
export function queryFields(what: string, fieldNames: readonly string[] | null): readonly FieldDefinition[] {
  const { definitions, define } = tableOf(what)
  return fieldNames === null ? definitions : define(fieldNames)
}

function tableOf(what: string): Table {
  if (!Object.hasOwn(TABLES, what)) throw new Failure('invalid', `Unknown query resource '${what}'`)
  return TABLES[what as QueryResource]
}

function table<T>({ fields, objects, find, nameOf, lookUps }: Source<T>): Table {
  const byName = new Map(fields.map((field) => [field.name, field]))
  const definitions = niceSort(fields, ({ name }) => name).map(definitionOf)

  const select = (names: readonly string[]): Field<T>[] =>
    names.map((name) => byName.get(name) ?? unknownField(name))

  return {
    definitions,

    define: (names) => select(names).map(definitionOf),

    async query({ config, queue }, fieldNames, filterJson, signal) {
      const selected = select(fieldNames)
      const filter = parseFilter(filterJson)
      const names = filter && nameOf ? valuesAskedFor(filter, 'name') : null
      const few = filter && nameOf && lookUps && candidatesFor(filter, lookUps, config)
      const isFew = few && few.size <= FEW_TO_SORT
      const candidates = names ? [] : isFew ? niceSort([...few], nameOf) : objects(config, queue)
      const passes = filter ? compileFilter(filter, byName, candidates.length) : undefined
      let found = candidates
      if (names && find && nameOf) {
        const named: T[] = []
        const add = (name: string) => {
          const object = find(config, name, queue)
          // Found by its UUID, it has another name than the one asked for.
          if (isCalled(nameOf(object), name)) named.push(object)
        }
        await eachInSlices(names, add, signal)
        found = named
      } else if (passes) {
        const passed: T[] = []
        const test = (object: T) => passes(object, config) && passed.push(object)
        await eachInSlices(candidates, test, signal)
        found = passed
      }
      const data = lazyMap(found, cellsOf(selected, config))
      return { fields: selected.map(definitionOf), data }
    },

    async rows({ config, queue }, names, fieldNames, signal) {
      const selected = select(fieldNames)
      const unknown = fieldNames.filter((name) => !byName.has(name))
      if (unknown.length > 0)
        throw new Failure('invalid', `Unknown output fields selected: ${unknown.join(', ')}`)
      const rows: Json[][] = []
      const add = (object: T) => rows.push(selected.map((field) => field.cell(object, config)[1]))
      if (names.length === 0) await eachInSlices(objects(config, queue), add, signal)
      else await eachInSlices(names, (name) => find && add(find(config, name, queue)), signal)
      return rows
    },
  }
}

/** Gives the cells of an object, in the order of the fields; one that is asked for several times is made once. */
function cellsOf<T>(fields: readonly Field<T>[], config: Config): (object: T) => Cell[] {
  const distinct = [...new Set(fields)]
  if (distinct.length === fields.length) return (object) => fields.map((field) => field.cell(object, config))
  const places = fields.map((field) => distinct.indexOf(field))
  return (object) => {
    const cells = distinct.map((field) => field.cell(object, config))
    return places.map((place) => cells[place] as Cell)
  }
}

function definitionOf({ name, title, kind, doc }: FieldDefinition): FieldDefinition {
  return { name, title, kind, doc }
}

function unknownField<T>(name: string): Field<T> {
  return cellField(name, name, 'unknown', `Unknown field '${name}'`, () => UNKNOWN)
}
