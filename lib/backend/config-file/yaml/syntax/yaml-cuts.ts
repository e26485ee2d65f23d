/**
 * Where a cluster's YAML file can be cut into pieces that stand for themselves:
 * at the keys of its outermost object, and again at those of sections. It cannot
 * where something in one piece may mean something in another: aliases, merge
 * keys, directives, document markers; nor where a key does not begin its line.
 */
import { isMap } from 'yaml'
import { isJsonObject, type Json, stringifyJson } from '../../../../json/json.ts'
import { leadStart } from './text-lines.ts'
import { keyOf, type TreePair, type YamlTree } from './yaml-tree.ts'

/** The sections that are objects by name. */
export const SECTIONS = ['networks', 'groups', 'nodes', 'instances'] as const
export type Section = (typeof SECTIONS)[number]

/** What a piece of text is about. */
export interface About {
  /** An outermost key all of which stands here. */
  readonly key?: string
  /** The section of the object that stands here, or whose objects follow in pieces of their own. */
  readonly section?: Section
  /** The object's name. */
  readonly name?: string
}

/** A text in pieces, or one that is not cut; can be sent between threads. */
export interface Cuts {
  /** The end of each piece. */
  readonly ends: Int32Array
  /** What each is about: nothing, `key`, `section/`, or `section/name`. */
  readonly about: readonly string[]
  /** Of a text that cannot be cut: what it says about each of these, as JSON. */
  readonly values?: readonly string[]
}

export function aboutOf(label: string): About {
  if (label === '') return {}
  const slash = label.indexOf('/')
  if (slash < 0) return { key: label }
  const section = label.slice(0, slash) as Section
  return slash === label.length - 1 ? { section } : { section, name: label.slice(slash + 1) }
}

/** A directive, or a marker that ends the document; the first `---` is none, as it stands before all pieces. */
export const MARKER = /^(%|\.\.\.(\s|$))/m

/** @param tree what was read of the text */
export function cutsOf(text: string, tree: Pick<YamlTree, 'contents' | 'aliases' | 'value'>): Cuts {
  return cut(text, tree) ?? { ends: new Int32Array(), ...valuesOf(tree.value) }
}

function cut(text: string, { contents, aliases }: Pick<YamlTree, 'contents' | 'aliases'>): Cuts | undefined {
  if (!isMap(contents) || contents.flow || aliases || MARKER.test(text)) return undefined
  const ends: number[] = []
  const about: string[] = []
  let done = 0
  const cutAt = (offset: number, label = '') => {
    if (offset <= done) return
    ends.push(offset)
    about.push(label)
    done = offset
  }
  const starts = startsOf(text, contents.items as TreePair[])
  if (!starts) return undefined
  cutAt(starts[0] ?? text.length)
  for (const [index, pair] of (contents.items as TreePair[]).entries()) {
    const end = starts[index + 1] ?? text.length
    const key = keyOf(pair) ?? ''
    const entries = pair.value
    const section = SECTIONS.find((one) => one === key)
    if (!section || !isMap(entries) || entries.flow || entries.items.length === 0) {
      cutAt(end, key)
      continue
    }
    const members = entries.items as TreePair[]
    const memberStarts = startsOf(text, members)
    if (!memberStarts) return undefined
    cutAt(memberStarts[0] ?? end, `${section}/`)
    members.forEach((member, place) => {
      cutAt(memberStarts[place + 1] ?? end, `${section}/${keyOf(member)}`)
    })
  }
  return { ends: Int32Array.from(ends), about }
}

/** Where the pieces of these begin; undefined where one of them does not begin its line. */
function startsOf(text: string, pairs: readonly TreePair[]): number[] | undefined {
  const starts: number[] = []
  for (const { key } of pairs) {
    const offset = key.range?.[0] ?? 0
    const line = text.lastIndexOf('\n', offset - 1) + 1
    if (text.slice(line, offset).trim() !== '') return undefined
    starts.push(leadStart(text, offset))
  }
  return starts
}

function valuesOf(value: Json): Pick<Cuts, 'about' | 'values'> {
  const about: string[] = []
  const values: string[] = []
  const add = (label: string, one: Json) => {
    about.push(label)
    values.push(stringifyJson(one))
  }
  for (const [key, one] of Object.entries(isJsonObject(value) ? value : {})) {
    const section = SECTIONS.find((name) => name === key)
    const members = section && isJsonObject(one) ? Object.entries(one) : []
    if (members.length === 0) add(key, one)
    for (const [name, member] of members) add(`${key}/${name}`, member)
  }
  return { about, values }
}
