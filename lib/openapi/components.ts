/**
 * Schemas with a title are moved to one place (`components/schemas`), where they
 * stand once, and everything else refers to them: tools then make one type of each.
 */
import { isJsonObject, type Json, type JsonObject } from '../json/json.ts'
import type { Schema } from '../model/check.ts'

export class Components {
  readonly #schemas = new Map<string, Schema>()

  /**
   * A schema with references in the place of those that have a title.
   * @throws Error if two schemas have the same title: a mistake in the table of resources
   */
  refer(schema: Schema): Schema {
    const parts = Object.entries(schema).map(([keyword, value]) => [keyword, this.#referIn(value)])
    const { title, ...referring } = Object.fromEntries(parts) as Schema
    if (typeof title !== 'string') return title === undefined ? referring : { title, ...referring }
    const known = this.#schemas.get(title)
    if (known === undefined) this.#schemas.set(title, referring)
    else if (JSON.stringify(known) !== JSON.stringify(referring)) throw new Error(`Two schemas ${title}`)
    return { $ref: `#/components/schemas/${title}` }
  }

  #referIn(value: Json): Json {
    if (Array.isArray(value)) return value.map((one) => this.#referIn(one))
    return isJsonObject(value) ? this.refer(value) : value
  }

  /** All schemas that were referred to, by name. */
  schemas(): JsonObject {
    return Object.fromEntries([...this.#schemas].sort(([one], [other]) => (one < other ? -1 : 1)))
  }
}
