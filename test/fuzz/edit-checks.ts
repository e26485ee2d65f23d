/**
 * What an edit of a person's file must leave as it was: looked for in the
 * texts before and after, as the `yaml` package sees them.
 */
import {
  type Alias,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  type Node,
  type Pair,
  parseDocument,
  type YAMLSeq,
} from 'yaml'
import { isMergeKey, keyOf, parseYaml } from '../../lib/backend/config-file/yaml/syntax/yaml-tree.ts'
import { equalJson, isJsonObject, type Json } from '../../lib/json/json.ts'

/** A part of a file that has a name: an object of a section, or all that an outermost key has. */
interface Part {
  /** From its key to the end of its value. */
  readonly text: string
  readonly start: number
  readonly end: number
  readonly value: Json
  /** The parts, and the values there, that its aliases stand for. */
  readonly needs: readonly { readonly part: string; readonly value: Json }[]
  /** What of its own is an alias: the path, and the value. */
  readonly aliases: ReadonlyMap<
    string,
    { readonly value: Json; readonly part: string; readonly merges: boolean }
  >
}

/** Of the latest texts: what is the state after one edit is the state before the next. */
const latest = new Map<string, Parts>()

const SECTIONS: readonly string[] = ['groups', 'networks', 'nodes', 'instances']

/** Where the last word of a pair ends: what the package takes for its end has comments behind it. */
function endOf({ key, value }: Pair): number {
  return Math.max((key as Node).range?.[1] ?? 0, endOfNode(value as Node | null))
}

function endOfNode(node: Node | null): number {
  if (isMap(node) && !node.flow && node.items.length > 0) return endOf(node.items.at(-1) as Pair)
  if (isSeq(node) && !node.flow && node.items.length > 0) return endOfNode(node.items.at(-1) as Node | null)
  return node?.range?.[1] ?? 0
}

/** New names by old ones, as `nodes/a`. */
export type Renames = ReadonlyMap<string, string>

/** Gives what an edit broke besides what it was meant for. */
export function collateral(before: string, after: string, renames: Renames): string | undefined {
  const was = partsOf(before)
  const now = partsOf(after)
  return (
    wrongLineEnds(before, after) ??
    changedParts(was, now, renames) ??
    expandedAliases(was, now, renames) ??
    lostComments(before, after, was, now, renames)
  )
}

function wrongLineEnds(before: string, after: string): string | undefined {
  const crlf = before.includes('\r\n')
  const mixed = crlf ? /(^|[^\r])\n/.test(after) : after.includes('\r')
  return mixed ? 'line ends: there are two kinds' : undefined
}

type Parts = ReadonlyMap<string, Part>

function partsOf(text: string): Parts {
  const known = latest.get(text)
  if (known) return known
  const parts = findParts(text)
  if (latest.size > 3) latest.clear()
  latest.set(text, parts)
  return parts
}

function findParts(text: string): Parts {
  const values = new Map<Node, Json>()
  const tree = parseYaml(text, values)
  const parts = new Map<string, Part>()
  const anchored: { node: Node; part: string }[] = []
  if (!isMap(tree.contents)) return parts
  for (const pair of tree.contents.items as Pair[]) {
    const key = keyOf(pair) ?? ''
    if (isMergeKey(pair)) continue
    const members =
      SECTIONS.includes(key) && isMap(pair.value) && pair.value.items.length > 0
        ? pair.value.items
        : undefined
    if (members && !(pair.value as Node & { anchor?: string }).anchor) {
      for (const member of members) add(`${key}/${isMergeKey(member) ? '<<merge' : keyOf(member)}`, member)
    } else add(key, pair)
  }
  return parts

  function add(name: string, pair: Pair): void {
    const key = pair.key as Node
    const value = pair.value as Node | null
    const start = key.range?.[0] ?? 0
    const end = endOf(pair)
    const needs: { part: string; value: Json }[] = []
    const aliases = new Map<string, { value: Json; part: string; merges: boolean }>()
    walk(value, '', false)
    const said = value ? (values.get(value) ?? null) : null
    parts.set(name, { text: text.slice(start, end).trimEnd(), start, end, value: said, needs, aliases })

    function walk(node: Node | null, path: string, merges: boolean): void {
      if (node === null) return
      if (isAlias(node)) {
        const target = tree.target(node as Alias)
        const part = anchored.find((one) => one.node === target)?.part ?? name
        const one = { part, value: target ? (values.get(target) ?? null) : null }
        needs.push(one)
        aliases.set(path, { ...one, merges })
        return
      }
      if ((node as { anchor?: string }).anchor !== undefined) anchored.push({ node, part: name })
      if (isMap(node)) {
        node.items.forEach((inner) => {
          walk(
            inner.value as Node | null,
            `${path}/${JSON.stringify(keyOf(inner))}${isMergeKey(inner) ? 'm' : ''}`,
            isMergeKey(inner),
          )
        })
      }
      if (isSeq(node)) {
        node.items.forEach((item, index) => {
          walk(item as Node | null, `${path}/${index}`, merges)
        })
      }
    }
  }
}

const renamed = (name: string, renames: Renames) => renames.get(name) ?? name

/** Whether a part, and all that its aliases stand for, says after the edit what it said before. */
function isUntouched(name: string, part: Part, was: Parts, now: Parts, renames: Renames): boolean {
  const after = now.get(renamed(name, renames))
  if (!after || renames.has(name) || !equalJson(part.value, after.value)) return false
  return part.needs.every(({ part: other }) => {
    const then = was.get(other)
    const later = now.get(renamed(other, renames))
    return then && later && equalJson(then.value, later.value)
  })
}

function changedParts(was: Parts, now: Parts, renames: Renames): string | undefined {
  for (const [name, part] of was) {
    if (!isUntouched(name, part, was, now, renames)) continue
    const after = now.get(name) as Part
    if (after.text !== part.text)
      return `untouched part written differently: ${name}\n--- before\n${part.text}\n--- after\n${after.text}\n---`
  }
  return undefined
}

function expandedAliases(was: Parts, now: Parts, renames: Renames): string | undefined {
  for (const [name, part] of was) {
    const after = now.get(renamed(name, renames))
    if (!after) continue
    for (const [path, { value, part: other, merges }] of part.aliases) {
      const then = was.get(other)
      const later = now.get(renamed(other, renames))
      if (other === name || !then || !later || !equalJson(then.value, later.value)) continue
      if (after.aliases.has(path) || /\/\d+(\/|$)/.test(path) || renames.has(name)) continue
      if (merges) {
        const holder = valueAt(after.value, path.slice(0, path.lastIndexOf('/')))
        if (!isJsonObject(holder) || !isJsonObject(value)) continue
        if (Object.keys(value).some((key) => !Object.hasOwn(holder, key))) continue
      } else if (!equalJson(valueAt(after.value, path), value)) continue
      return `an alias that nothing happened to is written out: ${name}${path}`
    }
  }
  return undefined
}

function valueAt(value: Json, path: string): Json {
  let inner: Json | undefined = value
  for (const step of path.split('/').slice(1)) {
    const key: string = step.startsWith('"') ? (JSON.parse(step) as string) : step
    inner = Array.isArray(inner)
      ? inner[Number(key)]
      : isJsonObject(inner) && Object.hasOwn(inner, key)
        ? inner[key]
        : undefined
  }
  return inner ?? null
}

// Comments

/** Where comments are, by their whole text. */
export function commentsOf(text: string): ReadonlyMap<string, number> {
  const found = new Map<string, number>()
  let offset = 0
  let before = ''
  for (const lexeme of new Lexer().lex(text)) {
    // What follows this mark is a text of whatever kind.
    if (lexeme.startsWith('#') && before !== SCALAR) found.set(lexeme.trimEnd(), offset)
    if (!MARKS.has(lexeme)) offset += lexeme.length
    before = lexeme
  }
  return found
}

/** What the lexer says that is not in the text: before a document, in a flow that ends wrongly, before a scalar. */
const SCALAR = '\x1f'
const MARKS = new Set(['\x02', '\x18', SCALAR])

type Path = readonly (
  | string
  | {
      readonly index: number
      readonly value: Json
      readonly length: number
      /** So many in the list say this. */
      readonly alike: number
    }
)[]

interface Place {
  /** What somebody would say the comment is about: a path of keys and of elements of lists. */
  readonly path: Path
  /** The whole of what begins in its line, or right below it in its column, where something does. */
  readonly owner?: Path
}

function lostComments(
  before: string,
  after: string,
  was: Parts,
  now: Parts,
  renames: Renames,
): string | undefined {
  const had = commentsOf(before)
  const kept = commentsOf(after)
  if (had.size === 0) return undefined
  const placesBefore = placesOf(before)
  const placesAfter = placesOf(after)
  for (const [comment, offset] of had) {
    const place = placesBefore(offset)
    if (wentWith(place, now, renames)) continue
    const at = kept.get(comment)
    if (at === undefined) return `a comment is lost: ${comment} (of ${shown(place.path)})`
    const later = placesAfter(at)
    if (place.owner && !(later.owner && isSamePath(place.owner, later.owner, renames)))
      return `a comment wandered: ${comment} (from ${shown(place.owner)} to ${shown(later.owner ?? later.path)})`
  }
  // What was said of an object that went would now be said of another.
  for (const [name, { start, end }] of was) {
    if (now.has(renamed(name, renames)) || isSectionOf(name, now)) continue
    for (const [comment, offset] of had) {
      if (offset < start || offset >= end || !kept.has(comment)) continue
      return `a comment of what went is still there: ${comment} (of ${name})`
    }
  }
  return undefined
}

function shown(path: Path): string {
  return path.map((one) => (typeof one === 'string' ? one : one.index)).join('/')
}

/** Whether two paths lead to the same, as far as elements of lists can be told from each other. */
function isSamePath(was: Path, now: Path, renames: Renames): boolean {
  const [first, second, ...rest] = was
  const name = `${first}/${second}`
  const [, newName = ''] = /^[^/]*\/(.*)$/s.exec(renamed(name, renames)) ?? []
  const expected = renames.has(name) ? [first as string, newName, ...rest] : was
  // What was in lines of its own may have come to stand in the line of what it is in.
  return (
    expected.length >= now.length &&
    now.every((other, index) => {
      const step = expected[index] as Path[number]
      if (typeof step === 'string' || typeof other === 'string') return step === other
      return equalJson(step.value, other.value) || revisedFrom(step.value, other.value) !== undefined
    })
  )
}

/** Whether this is a section that now has objects, which are parts of their own. */
function isSectionOf(name: string, now: Parts): boolean {
  return SECTIONS.includes(name) && [...now.keys()].some((one) => one.startsWith(`${name}/`))
}

/** Whether something that a comment stands at, or in, is no longer there. */
function wentWith({ path }: Place, now: Parts, renames: Renames): boolean {
  const [first, second, ...rest] = path
  if (typeof first !== 'string') return false
  const inSection = SECTIONS.includes(first) && typeof second === 'string'
  const name = inSection ? `${first}/${second}` : first
  const part = now.get(renamed(name, renames))
  if (!part) return inSection || !isSectionOf(first, now)
  let value: Json | undefined = part.value
  for (const step of inSection ? rest : path.slice(1)) {
    if (typeof step === 'string') {
      if (!isJsonObject(value) || !Object.hasOwn(value, step)) return true
      value = value[step]
    } else {
      if (!Array.isArray(value)) return true
      // Which one of several that say the same has gone nobody can tell.
      if (value.filter((one) => equalJson(one, step.value)).length < step.alike) return true
      const same: Json | undefined = value.find((one) => equalJson(one, step.value))
      // One that changed in its place is still that one.
      const changed = value.length === step.length ? revisedFrom(step.value, value[step.index]) : undefined
      value = same ?? changed
      if (value === undefined) return true
    }
  }
  return value === undefined
}

/** An element that still says nearly what it said; else another stands in its place. */
function revisedFrom(was: Json, now: Json | undefined): Json | undefined {
  if (!isJsonObject(was) || !isJsonObject(now)) return undefined
  const keys = Object.keys(was)
  const changed = keys.filter(
    (key) => !Object.hasOwn(now, key) || !equalJson(was[key] ?? null, now[key] ?? null),
  )
  return keys.length > 1 && changed.length < 2 ? now : undefined
}

/** Finds what comments are about: what ends in their line, else what begins below them, else what they are in. */
function placesOf(text: string): (offset: number) => Place {
  const document = parseDocument(text, { uniqueKeys: false })
  const values = new Map<Node, Json>()
  parseYaml(text, values)
  interface Spot {
    readonly start: number
    readonly end: number
    readonly path: Path
    /** What stands in brackets may share its line with others. */
    readonly sharesLine: boolean
  }
  const spots: Spot[] = []
  // The nodes of both are alike, as are their places.
  const valueByStart = new Map<string, Json>()
  for (const [node, value] of values) valueByStart.set(`${node.range?.[0]}:${node.range?.[1]}`, value)
  const said = (node: Node | null) =>
    node ? (valueByStart.get(`${node.range?.[0]}:${node.range?.[1]}`) ?? null) : null
  const walk = (node: Node | null, path: Path): void => {
    if (isMap(node)) {
      for (const pair of node.items as Pair<Node, Node | null>[]) {
        // What is merged may be written out, and then its key goes.
        const inner = [...path, isMergeKey(pair) ? '<<, a merge' : (keyOf(pair) ?? '')]
        const key = pair.key.range?.[0] ?? 0
        const mark = /\?[ \t]+$/.exec(text.slice(text.lastIndexOf('\n', key - 1) + 1, key))
        const start = key - (mark?.[0].length ?? 0)
        spots.push({
          start,
          end: endOf(pair),
          path: inner,
          sharesLine: node.flow === true,
        })
        walk(pair.value, inner)
      }
    } else if (isSeq(node)) {
      node.items.forEach((item, index) => {
        const one = item as Node | null
        const value = said(one)
        const alike = node.items.filter((other) => equalJson(said(other as Node | null), value)).length
        const inner = [...path, { index, value, length: node.items.length, alike }]
        const start = dashBefore(node, index) ?? one?.range?.[0] ?? 0
        spots.push({
          start,
          end: Math.max(start, endOfNode(one)),
          path: inner,
          sharesLine: node.flow === true,
        })
        walk(one, inner)
      })
    } else if (isScalar(node) || isAlias(node)) return
  }
  function dashBefore(list: YAMLSeq, index: number): number | undefined {
    if (list.flow) return undefined
    const from = index === 0 ? (list.range?.[0] ?? 0) : endOfNode(list.items[index - 1] as Node | null)
    const dash = /^[ \t]*-(?=\s)/m.exec(text.slice(from))
    return dash ? from + dash.index + dash[0].length - 1 : undefined
  }
  walk(document.contents as Node | null, [])
  return (offset) => {
    const line = text.lastIndexOf('\n', offset - 1) + 1
    const head = text.slice(line, offset)
    const beside = head.trim() !== ''
    const deepest = (some: Spot[]) =>
      some.reduce<Spot | undefined>(
        (best, one) => (!best || one.path.length >= best.path.length ? one : best),
        undefined,
      )
    const around = deepest(spots.filter(({ start, end }) => start <= offset && offset < end))
    if (beside) {
      const [begins] = spots
        .filter(({ start }) => start >= line && start < offset)
        .sort((a, b) => a.start - b.start || a.path.length - b.path.length)
      const owner = begins &&
        !begins.sharesLine &&
        /^[ \t?-]*$/.test(text.slice(line, begins.start)) && { owner: begins.path }
      const onLine = spots.filter(
        ({ start, end }) => (start >= line && start < offset) || (end > line && end <= offset),
      )
      const last = deepest(onLine)
      // Between braces it is about what they are around.
      if (last && !(around && around.start > last.start)) return { path: last.path, ...owner }
      return { path: around?.path ?? [], ...owner }
    }
    const next = spots
      .filter(({ start }) => start > offset)
      .sort((a, b) => a.start - b.start || a.path.length - b.path.length)[0]
    const within = around?.path ?? []
    const column = (at: number) => at - (text.lastIndexOf('\n', at - 1) + 1)
    // Further in than what begins below, it is about what stands above.
    if (next && column(next.start) < column(offset)) {
      const above = spots
        .filter(({ start, end }) => end <= offset && column(start) <= column(offset))
        .sort((a, b) => b.end - a.end || b.path.length - a.path.length)[0]
      if (above && above.start >= (around?.start ?? 0) && above.path.length >= next.path.length)
        return { path: above.path }
    }
    // What begins below is meant, unless that is outside of what the comment is in.
    if (next && (!around || next.start < around.end)) {
      const between = text.slice(offset, next.start).split('\n').slice(1, -1)
      const sure =
        !next.sharesLine &&
        column(next.start) === column(offset) &&
        between.every((one) => /^ *#/.test(one) && one.indexOf('#') === column(offset))
      return { path: next.path, ...(sure && { owner: next.path }) }
    }
    const above = spots
      .filter(({ start, end }) => end <= offset && start >= (around?.start ?? 0))
      .sort((a, b) => b.end - a.end || b.path.length - a.path.length)[0]
    return { path: above && above.path.length > within.length ? above.path : within }
  }
}
