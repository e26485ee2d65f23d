/** The description of the API, as far as it is shown: `/2/openapi.json`. */

export interface Schema {
  readonly type?: string | readonly string[]
  readonly description?: string
  readonly default?: unknown
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly $ref?: string
}

export interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query'
  readonly required?: boolean
  readonly description?: string
  readonly schema: Schema
  readonly example?: unknown
}

interface Content {
  readonly 'application/json'?: { readonly schema?: Schema; readonly example?: unknown }
}

interface Described {
  readonly operationId: string
  readonly tags: readonly string[]
  readonly summary: string
  readonly description: string
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly required: boolean; readonly content: Content }
  readonly responses: Readonly<Record<string, { readonly description?: string; readonly content?: Content }>>
  readonly 'x-ganeti-permission'?: string | null
}

export interface OpenApi {
  readonly tags: readonly { readonly name: string; readonly description: string }[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}

/** One method of one resource. */
export interface Operation extends Described {
  readonly method: string
  readonly path: string
  /** Those of the path as well. */
  readonly parameters: readonly Parameter[]
}

const METHODS = ['get', 'put', 'post', 'delete']

const lists = new WeakMap<OpenApi, readonly Operation[]>()

/** All methods of all resources, by their tags. */
export function operationsOf(api: OpenApi): readonly Operation[] {
  const known = lists.get(api)
  if (known) return known
  const order = api.tags.map(({ name }) => name)
  const all = Object.entries(api.paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const described = item[method] as Described | undefined
      if (!described) return []
      const common = (item.parameters ?? []) as readonly Parameter[]
      const parameters = [...common, ...(described.parameters ?? [])]
      return [{ ...described, method: method.toUpperCase(), path, parameters }]
    }),
  )
  const place = ({ tags: [tag = ''] }: Operation) => order.indexOf(tag)
  const sorted = all.sort((one, other) => place(one) - place(other))
  lists.set(api, sorted)
  return sorted
}

/** The schema that a reference stands for. */
export function resolved(api: OpenApi, schema: Schema): Schema {
  const name = schema.$ref?.split('/').at(-1)
  return (name !== undefined && api.components.schemas[name]) || schema
}

/** What a value may be, in a few words. */
export function typeOf(api: OpenApi, given: Schema): string {
  const schema = resolved(api, given)
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' | ')
  const either = schema.anyOf ?? schema.oneOf
  if (either) return [...new Set(either.map((one) => typeOf(api, one)))].join(' or ')
  if (schema.type === 'array') return schema.items ? `list of ${typeOf(api, schema.items)}` : 'list'
  return typeof schema.type === 'string' ? schema.type : (schema.type?.join(' or ') ?? 'any value')
}
