/**
 * A field of a query: said once, with its name, its title, what kind of value
 * it has, what it means, and how its cell comes from the model. The tables in
 * this folder are lists of such fields; queries, old-style rows, filters and
 * the lists of fields all read them.
 */
import type { Json } from '../../../../json/json.ts'
import type { Config } from '../../../../model/config.ts'
import type { NdParams } from '../../../../model/params.ts'
import type { Recorded } from '../../../../model/recorded.ts'
import { type Cell, type FieldDefinition, type FieldKind, ResultStatus } from '../../../backend.ts'

export interface Field<T> extends FieldDefinition {
  /** Whether it holds the name of a host, which `=` in a filter may shorten. */
  readonly hostname: boolean
  readonly cell: (object: T, config: Config) => Cell
}

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

/** A field whose cell may be anything. */
export function cellField<T>(
  name: string,
  title: string,
  kind: FieldKind,
  doc: string,
  cell: (object: T, config: Config) => Cell,
): Field<T> {
  return { name, title, kind, doc, cell, hostname: false }
}

/** A field that every object has. */
export function field<T>(
  name: string,
  title: string,
  kind: FieldKind,
  doc: string,
  value: (object: T, config: Config) => Json,
): Field<T> {
  return cellField(name, title, kind, doc, (object, config) => normal(value(object, config)))
}

/** A field that some objects do not have: its cell is `unavailable` where the value is null. */
export function optionalField<T>(
  name: string,
  title: string,
  kind: FieldKind,
  doc: string,
  value: (object: T, config: Config) => Json | undefined,
): Field<T> {
  return cellField(name, title, kind, doc, (object, config) => orUnavailable(value(object, config)))
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
    field('tags', 'Tags', 'other', `Tags of the ${noun}`, ({ tags }) => tags),
    field('uuid', 'UUID', 'text', `UUID of the ${noun}`, ({ uuid }) => uuid),
  ]
}

/** Title and kind of each node parameter's own field. */
const ND_PARAMS: { readonly [name in keyof NdParams]: readonly [title: string, kind: FieldKind] } = {
  cpu_speed: ['ndp/cpu_speed', 'float'],
  exclusive_storage: ['ExclusiveStorage', 'bool'],
  oob_program: ['OutOfBandProgram', 'other'],
  ovs: ['OpenvSwitch', 'bool'],
  ovs_link: ['OpenvSwitchLink', 'other'],
  ovs_name: ['OpenvSwitchName', 'other'],
  spindle_count: ['SpindleCount', 'number'],
  ssh_port: ['ndp/ssh_port', 'number'],
}

/** `ndp/...`: one field for each node parameter. */
export function ndParamFields<T>(paramsOf: (object: T, config: Config) => NdParams): Field<T>[] {
  return (Object.keys(ND_PARAMS) as (keyof NdParams)[]).map((name) => {
    const [title, kind] = ND_PARAMS[name]
    return field(
      `ndp/${name}`,
      title,
      kind,
      `Node parameter "${name}" in effect`,
      (object, config) => paramsOf(object, config)[name],
    )
  })
}
