/**
 * Bodies of requests that submit a job: how one becomes parameters of an opcode,
 * and its JSON Schema, which is made of the opcode's own parameters.
 */
import { isJsonObject, type Json, type JsonObject } from '../json/json.ts'
import type { Schema } from '../model/check.ts'
import { COMMON, type Opcode, type OpcodeParameter, type ParameterHistory } from '../model/opcode.ts'
import type { Version } from '../model/version.ts'
import { bodyObject } from './expect-type.ts'
import type { Body, Call } from './resource.ts'

/** The schema of an object of which every member is known. */
export interface ObjectSchema extends Schema {
  readonly properties: { readonly [name: string]: Schema }
  readonly required: readonly string[]
  /** What it must have under one of several names. */
  readonly allOf?: readonly Schema[]
}

/** Names of an opcode's parameters, by other names for them in a body. */
export type Renames<Taken extends string = string> = { readonly [otherName: string]: Taken }

/** How the parameters in a body are read, and what it looks like. */
export interface JobBody<Params> {
  /** @throws Failure `invalid` if the body is not one */
  read(call: Call<Params>, version: Version): JsonObject
  /** @param own what the opcode itself takes from a body */
  describe(own: ObjectSchema): Body
}

/** The body as parameters; a missing one has none. */
export function parametersIn({ body }: { readonly body: Json | undefined }): JsonObject {
  return body === undefined || body === null ? {} : bodyObject(body)
}

/** The parameters under the opcode's names; there need be no body if none of them must be given. */
export const wholeBody: JobBody<unknown> = {
  read: parametersIn,
  describe: (own) => ({ schema: own, required: own.required.length > 0 || own.allOf !== undefined }),
}

/** For methods whose body is ignored, but for dependencies (see `dependsIn`). */
export const noBody: JobBody<unknown> = {
  read: () => ({}),
  describe: () => ({
    schema: { type: 'object', properties: { depends: parameterSchema(COMMON.depends) } },
    required: false,
  }),
}

/**
 * What a body may hold for an opcode.
 * @param taken parameters that do not come from a body
 */
export function bodySchema(
  { parameters }: Opcode,
  taken: readonly string[],
  renames: Renames = {},
): ObjectSchema {
  const others = Object.entries(renames)
  const properties: { [name: string]: Schema } = {}
  const required: string[] = []
  const exactlyOne: Schema[] = []
  const exclusive: { [otherName: string]: Schema } = {}
  for (const [name, history] of Object.entries(parameters)) {
    if (taken.includes(name)) continue
    const schema = parameterSchema(history)
    properties[name] = schema
    const names = others.filter(([, renamed]) => renamed === name).map(([other]) => other)
    const { default: _default, ...withoutDefault } = schema
    for (const other of names) {
      properties[other] = { ...withoutDefault, description: `Another name of \`${name}\`.` }
    }
    const { check, preset } = newest(history)
    if (!check(preset)) {
      if (names.length === 0) required.push(name)
      else exactlyOne.push({ oneOf: [name, ...names].map((one) => ({ required: [one] })) })
    } else {
      for (const other of names) exclusive[other] = { properties: { [name]: false } }
    }
  }
  return {
    type: 'object',
    properties,
    required,
    additionalProperties: false,
    ...(exactlyOne.length > 0 && { allOf: exactlyOne }),
    ...(Object.keys(exclusive).length > 0 && { dependentSchemas: exclusive }),
  }
}

/** A parameter's schema in the newest release that has it; its description tells of older ones. */
export function parameterSchema(history: ParameterHistory): Schema {
  const { check, preset, since, until } = newest(history)
  return {
    ...check.schema,
    description: sentences(history).join(' '),
    ...(preset !== null && check(preset) && { default: preset }),
    ...(since && [history].flat().length === 1 && { 'x-ganeti-since': since }),
    ...(until && { deprecated: true, 'x-ganeti-until': until }),
  }
}

/** What a parameter is for, and was in older releases. */
function sentences(history: ParameterHistory): string[] {
  const { doc, preset, until } = newest(history)
  const older = [history].flat().slice(0, -1)
  return [
    doc,
    ...(until ? [`Only before Ganeti ${until}.`] : []),
    ...older.filter((one) => one.doc !== doc).map((one) => `Before Ganeti ${one.until}: ${one.doc}`),
    ...older
      .filter((one) => one.preset !== preset)
      .map((one) => `Before Ganeti ${one.until}, the default is ${JSON.stringify(one.preset)}.`),
  ]
}

/** A parameter as the newest release has it. */
export function newest(history: ParameterHistory): OpcodeParameter {
  const all = [history].flat()
  return all[all.length - 1] as OpcodeParameter
}

/** Dependencies on other jobs can be given in any body, even one that is otherwise ignored. */
export function dependsIn(body: Json | undefined): JsonObject {
  if (!isJsonObject(body)) return {}
  const { depends = null } = body
  const empty = depends === null || (Array.isArray(depends) && depends.length === 0)
  return empty ? {} : { depends }
}
