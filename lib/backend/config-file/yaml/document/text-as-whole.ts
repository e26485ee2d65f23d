/**
 * A cluster's YAML file that cannot be cut into pieces. What it says is known
 * object by object; its text is only made once it is to be written, on a thread
 * of its own (edit-thread.ts), as that takes as long as reading it.
 */
import { Worker } from 'node:worker_threads'
import { type Json, type JsonObject, parseJson } from '../../../../json/json.ts'
import { CannotEdit } from '../syntax/cannot-edit.ts'
import { aboutOf, SECTIONS, type Section } from '../syntax/yaml-cuts.ts'
import { editWhole } from './edit-whole.ts'
import type { YamlChange, YamlText } from './yaml-text.ts'

/** A value, or its JSON until somebody asks for it. */
class Lazy {
  #json: string | undefined
  #value: Json = null

  constructor(json: string | undefined, value: Json = null) {
    this.#json = json
    this.#value = value
  }

  get value(): Json {
    if (this.#json !== undefined) this.#value = parseJson(this.#json)
    this.#json = undefined
    return this.#value
  }
}

type Entries = ReadonlyMap<Section, ReadonlyMap<string, Lazy>>

export class TextAsWhole implements YamlText {
  readonly #keys: ReadonlyMap<string, Lazy>
  readonly #entries: Entries
  /** The file before these changes. */
  #text: string
  #changes: readonly YamlChange[]

  private constructor(
    keys: ReadonlyMap<string, Lazy>,
    entries: Entries,
    text: string,
    changes: readonly YamlChange[],
  ) {
    this.#keys = keys
    this.#entries = entries
    this.#text = text
    this.#changes = changes
  }

  /**
   * @param about the keys and objects that it says something of
   * @param values what it says, as JSON
   */
  static of(text: string, about: readonly string[], values: readonly string[]): TextAsWhole {
    const keys = new Map<string, Lazy>()
    const entries = new Map<Section, Map<string, Lazy>>()
    about.forEach((label, place) => {
      const { key, section, name } = aboutOf(label)
      const value = new Lazy(values[place] as string)
      if (key !== undefined) keys.set(key, value)
      if (section === undefined || name === undefined) return
      const members = entries.get(section)
      if (members) members.set(name, value)
      else entries.set(section, new Map([[name, value]]))
    })
    return new TextAsWhole(keys, entries, text, [])
  }

  key(key: string): Json | undefined {
    return this.#keys.get(key)?.value
  }

  entry(section: Section, name: string): Json | undefined {
    return this.#entries.get(section)?.get(name)?.value
  }

  section(section: Section): JsonObject {
    const members = this.#entries.get(section) ?? new Map<string, Lazy>()
    return Object.fromEntries([...members].map(([name, { value }]) => [name, value]))
  }

  value(sections: readonly Section[] = SECTIONS): JsonObject {
    const value: { [key: string]: Json } = {}
    for (const [key, one] of this.#keys) value[key] = one.value
    for (const section of this.#entries.keys()) {
      if (sections.includes(section)) value[section] = this.section(section)
    }
    return value
  }

  changed({ keys, entries, renamed }: YamlChange): YamlText {
    const nowKeys = new Map(this.#keys)
    const nowEntries = new Map(this.#entries)
    for (const [key, value] of keys) {
      if (value === null) nowKeys.delete(key)
      else nowKeys.set(key, new Lazy(undefined, value))
    }
    for (const [section, changes] of entries) {
      const names = renamed.get(section)
      const members = new Map(
        [...(this.#entries.get(section) ?? [])].map(([name, one]) => [names?.get(name) ?? name, one]),
      )
      for (const [name, value] of changes) {
        if (value === null) members.delete(name)
        else members.set(name, new Lazy(undefined, value))
      }
      nowKeys.delete(section)
      nowEntries.delete(section)
      if (members.size > 0) nowEntries.set(section, members)
      else nowKeys.set(section, new Lazy(undefined))
    }
    return new TextAsWhole(nowKeys, nowEntries, this.#text, [
      ...this.#changes,
      { keys: new Map(keys), entries: new Map(entries), renamed: new Map(renamed) },
    ])
  }

  async ready(): Promise<void> {
    if (this.#changes.length === 0) return
    this.#text = await editInThread({ text: this.#text, changes: this.#changes })
    this.#changes = []
  }

  toString(): string {
    if (this.#changes.length > 0) this.#text = editWhole(this.#text, this.#changes)
    this.#changes = []
    return this.#text
  }

  toBytes(): Buffer {
    return Buffer.from(this.toString())
  }
}

/** What the thread is given. */
export interface EditAssignment {
  readonly text: string
  readonly changes: readonly YamlChange[]
}

/** What it answers: the text, or nothing where the changes cannot be written. */
export type EditAnswer = string | undefined

/** @throws CannotEdit */
function editInThread(assignment: EditAssignment): Promise<string> {
  const worker = new Worker(new URL('./edit-thread.js', import.meta.url), {
    workerData: assignment,
    execArgv: [],
  })
  let answer: { readonly text: EditAnswer } | undefined
  return new Promise((resolve, reject) => {
    worker.on('message', (text: EditAnswer) => {
      answer = { text }
    })
    worker.on('error', reject)
    // Not before the thread has given its memory back: while it does, other threads that allocate have to wait.
    worker.on('exit', () => {
      if (!answer) reject(new Error('the thread that edits the YAML file ended before it was done'))
      else if (answer.text === undefined) reject(new CannotEdit())
      else resolve(answer.text)
    })
  })
}
