/** What of a file is about to be written otherwise; whatever is not drafted stays as the text has it. */
import type { Json, JsonObject } from '../../../../json/json.ts'
import type { YamlChange, YamlText } from '../document/yaml-text.ts'
import type { Section } from '../syntax/yaml-cuts.ts'

/** What objects have that stand in a section by name. */
export interface Named {
  readonly uuid: string
  readonly name: string
}

export class Draft implements YamlChange {
  readonly keys = new Map<string, Json>()
  readonly entries = new Map<Section, Map<string, JsonObject | null>>()
  readonly renamed = new Map<Section, Map<string, string>>()
  readonly #text: YamlText

  constructor(text: YamlText) {
    this.#text = text
  }

  /** What stands under an outermost key, drafted or not. */
  key(key: string): Json | undefined {
    return this.keys.get(key) ?? this.#text.key(key)
  }

  /** What is written of the cluster itself, drafted or not. */
  get cluster(): JsonObject {
    return (this.key('cluster') ?? {}) as JsonObject
  }

  /** An object of a section, drafted or not; null for one that goes. */
  entry(section: Section, name: string): Json | undefined {
    const drafted = this.entries.get(section)?.get(name)
    return drafted === undefined ? this.#text.entry(section, name) : drafted
  }

  /** Drafts an object; null for one that is to go. */
  put(section: Section, name: string, value: JsonObject | null): void {
    const entries = this.entries.get(section)
    if (entries) entries.set(name, value)
    else this.entries.set(section, new Map([[name, value]]))
  }

  rename(section: Section, from: string, to: string): void {
    const names = this.renamed.get(section)
    if (names) names.set(from, to)
    else this.renamed.set(section, new Map([[from, to]]))
  }

  /** The whole file as it would be, with the objects of these sections. */
  value(sections: readonly Section[]): JsonObject {
    const value: { [key: string]: Json } = { ...this.#text.value(sections) }
    for (const [key, one] of this.keys) {
      if (one === null) delete value[key]
      else value[key] = one
    }
    for (const [section, entries] of this.entries) {
      if (!sections.includes(section)) continue
      const renamed = this.renamed.get(section)
      const objects = new Map(
        Object.entries(this.#text.section(section)).map(([name, one]) => [renamed?.get(name) ?? name, one]),
      )
      for (const [name, one] of entries) {
        if (one === null) objects.delete(name)
        else objects.set(name, one)
      }
      value[section] = Object.fromEntries(objects)
    }
    return value
  }
}
