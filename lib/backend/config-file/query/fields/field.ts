/**
 * A field of a query: said once, with its name, its title, what kind of value
 * it has, what it means, and how its cell comes from the model. The tables in
 * this folder are lists of such fields; queries, old-style rows, filters and
 * the lists of fields all read them.
 */
import type { Json } from '../../../../json/json.ts'
import { orNull, type Schema } from '../../../../model/check.ts'
import type { Config } from '../../../../model/config.ts'
import type { NdParams } from '../../../../model/params.ts'
import type { Recorded } from '../../../../model/recorded.ts'
import { type Cell, type FieldDefinition, type FieldKind, ResultStatus } from '../../../backend.ts'
import { schemaOfKind, text, texts } from './value-schemas.ts'

export interface Field<T> extends FieldDefinition {
  /** What its value may be; null too where an object may lack it, or its source may not tell. */
  readonly schema: Schema
  /** Whether it holds the name of a host, which `=` in a filter may shorten. */
  readonly hostname: boolean
  readonly cell: (object: T, config: Config) => Cell
}

/** A kind that tells what a value is. */
export type NamedKind = Exclude<FieldKind, 'other'>

/** There is no such field. */
export const UNKNOWN: Cell = [ResultStatus.unknown, null]
/** The value exists, but the source does not say it. */
export const NO_DATA: Cell = [ResultStatus.noData, null]
/** This object has no such value. */
export const UNAVAILABLE: Cell = [ResultStatus.unavailable, null]
/** The node that knows the value is marked offline. */
export const OFFLINE: Cell = [ResultStatus.offline, null]

export function normal(value: Json): Cell {
  return [ResultStatus.normal, value]
}

export function orUnavailable(value: Json | undefined): Cell {
  return value === undefined || value === null ? UNAVAILABLE : normal(value)
}

export function orNoData(value: Json | undefined): Cell {
  return value === undefined || value === null ? NO_DATA : normal(value)
}

/** Objects of the model are JSON by their making; their interfaces only lack the index signature. */
export function asJson(value: object): Json {
  return value as Json
}

/**
 * A field whose cell may be anything.
 * @param what its kind, or the schema of its value if that is only `other`
 */
export function cellField<T>(
  name: string,
  title: string,
  what: NamedKind | Schema,
  doc: string,
  cell: (object: T, config: Config) => Cell,
): Field<T> {
  const kind = typeof what === 'string' ? what : 'other'
  return { name, title, kind, doc, cell, hostname: false, schema: orNull(schemaOf(what)) }
}

function schemaOf(what: NamedKind | Schema): Schema {
  return typeof what === 'string' ? schemaOfKind(what) : what
}

/** A field that every object has. */
export function field<T>(
  name: string,
  title: string,
  what: NamedKind | Schema,
  doc: string,
  value: (object: T, config: Config) => Json,
): Field<T> {
  const cell = (object: T, config: Config) => normal(value(object, config))
  return { ...cellField(name, title, what, doc, cell), schema: schemaOf(what) }
}

/** A field that some objects do not have: its cell is `unavailable` where the value is null. */
export function optionalField<T>(
  name: string,
  title: string,
  what: NamedKind | Schema,
  doc: string,
  value: (object: T, config: Config) => Json | undefined,
): Field<T> {
  return cellField(name, title, what, doc, (object, config) => orUnavailable(value(object, config)))
}

/** The same field, holding a host's name. */
export function hostname<T>(field: Field<T>): Field<T> {
  return { ...field, hostname: true }
}

/** The fields of everything that Ganeti records; `noun` is for their documentation. */
export function recordFields<T extends Recorded>(noun: string): Field<T>[] {
  return [
    field('ctime', 'CTime', 'timestamp', `When the ${noun} was created`, ({ ctime }) => ctime),
    field('mtime', 'MTime', 'timestamp', `When the ${noun} was last changed`, ({ mtime }) => mtime),
    field(
      'serial_no',
      'SerialNo',
      'number',
      `Counts the changes of the ${noun}`,
      (object) => object.serial_no,
    ),
    field('tags', 'Tags', texts, `Tags of the ${noun}`, ({ tags }) => tags),
    field('uuid', 'UUID', 'text', `UUID of the ${noun}`, ({ uuid }) => uuid),
  ]
}

/** Title and kind of each node parameter's own field. */
const ND_PARAMS: { readonly [name in keyof NdParams]: readonly [title: string, what: NamedKind | Schema] } = {
  cpu_speed: ['ndp/cpu_speed', 'float'],
  exclusive_storage: ['ExclusiveStorage', 'bool'],
  oob_program: ['OutOfBandProgram', text],
  ovs: ['OpenvSwitch', 'bool'],
  ovs_link: ['OpenvSwitchLink', orNull(text)],
  ovs_name: ['OpenvSwitchName', orNull(text)],
  spindle_count: ['SpindleCount', 'number'],
  ssh_port: ['ndp/ssh_port', 'number'],
}

/** `ndp/...`: one field for each node parameter. */
export function ndParamFields<T>(paramsOf: (object: T, config: Config) => NdParams): Field<T>[] {
  return (Object.keys(ND_PARAMS) as (keyof NdParams)[]).map((name) => {
    const [title, what] = ND_PARAMS[name]
    return field(
      `ndp/${name}`,
      title,
      what,
      `Node parameter "${name}" in effect`,
      (object, config) => paramsOf(object, config)[name],
    )
  })
}
