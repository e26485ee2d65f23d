/**
 * A cluster's YAML file as it is changed: in pieces where it can be cut into
 * some, else as a whole.
 */
import type { Json, JsonObject } from '../../../../json/json.ts'
import type { Section } from '../syntax/yaml-cuts.ts'

/** What is to stand in the file; null for what is to go. */
export interface YamlChange {
  /** By outermost key (`cluster`, `filters`). */
  readonly keys: ReadonlyMap<string, Json>
  readonly entries: ReadonlyMap<Section, ReadonlyMap<string, JsonObject | null>>
  /** By section: the new names of objects by their old ones; `entries` has the new ones. */
  readonly renamed: ReadonlyMap<Section, ReadonlyMap<string, string>>
}

/** One state of the file; a change gives the next one. */
export interface YamlText {
  /** What stands under an outermost key. */
  key(key: string): Json | undefined
  /** An object of a section, as it is written; null where nothing stands below its name. */
  entry(section: Section, name: string): Json | undefined
  /** A section as it is written, in its order. */
  section(section: Section): JsonObject
  /** Everything the file says but for the objects of other sections than these. */
  value(sections?: readonly Section[]): JsonObject
  /** @throws Failure `internal` where the change cannot be written */
  changed(change: YamlChange): YamlText
  /**
   * Makes the text, beside the event loop where that is long work; without it the next two do so themselves.
   * @throws Failure `internal` where the changes cannot be written
   */
  ready(): Promise<void>
  toString(): string
  /** The same in UTF-8. */
  toBytes(): Buffer
}
