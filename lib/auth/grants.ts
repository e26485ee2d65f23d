/**
 * What the options of a user in the users file grant: words separated by commas.
 *
 *     read, write, all     old words
 *     @ROLE                the permissions of a role
 *     PERMISSION           or +PERMISSION: one more
 *     -PERMISSION          one less, wherever it stands
 *     @ROLE!SELECTOR       for the objects alone that the selector selects: see selectors.ts
 *     PERMISSION!SELECTOR
 *
 * A user with old words alone has what Ganeti 3.0 gives for them. Any new word
 * means what it means to Ganeti 3.2: then the user has exactly these
 * permissions, `read` standing for @readonly there, `write` and `all` for @admin.
 */
import {
  type Need,
  PERMISSIONS,
  type Permission,
  ROLES,
  type Role,
  SAME_FOR_ALL,
  WHOLE_CLUSTER,
} from './permissions.ts'
import { RIGHTS, type Right } from './rights.ts'
import type { ScopedKind } from './scope.ts'
import { parseSelector, type Selector } from './selectors.ts'

/** What a user may do. */
export type Grants =
  /** By old words. */
  | { readonly kind: 'rights'; readonly rights: ReadonlySet<Right> }
  /** By new ones: each permission with the words that grant it. */
  | {
      readonly kind: 'permissions'
      readonly words: ReadonlyMap<Permission, readonly Word[]>
      /** All selectors of these words. */
      readonly selectors: readonly Selector[]
    }

/** A word that grants a permission: for all objects, or for those that its selector selects. */
interface Word {
  readonly text: string
  readonly selector?: Selector
}

/** That a user may do something. */
export interface Granted {
  /** The words that let the user in; an empty text if it takes none. */
  readonly by: string
  /** One of the selectors of each list must select an object; empty if no selector limits it. */
  readonly within: readonly (readonly Selector[])[]
}

/** It takes no word. */
const OPEN: Granted = { by: '', within: [] }

/** What the old words stand for as rights of 3.0, which does not know `all`, and as roles of 3.2. */
const OLD_WORDS: { readonly [word: string]: { readonly rights: readonly Right[]; readonly role: Role } } = {
  read: { rights: ['read'], role: 'readonly' },
  write: { rights: ['write'], role: 'admin' },
  all: { rights: RIGHTS, role: 'admin' },
}

/** Of a word that looks like a new one, an old meaning is never meant. */
const LOOKS_NEW = /^[@+-]|[.!]/
/** What a word that adds something is made of. With other characters, it may be meant to take something away. */
const ADDS = /^[\w.@+*\s#]*$|^[@+]?[\w.]+!/
/** A word that does not look so may be part of a password. */
const IS_OPTION = /^[+-]?(@[a-z]+|[a-z_]+(\.[a-z_]+)*\.([a-z_]+|\*))(![a-z]+=[\w.+*/:@-]*)?$/i

const PERMISSION_NAMES: ReadonlySet<string> = new Set(PERMISSIONS)
const KNOWN_WORDS = [
  ...Object.keys(OLD_WORDS),
  ...Object.keys(ROLES).map((role) => `@${role}`),
  ...PERMISSIONS,
]

/** How far reads are open that need no right in Ganeti 3.0. */
export interface Openness {
  /** Whether strangers may not do it; what they may, every user may. */
  readonly isClosed: boolean
  /** Whether even a user needs options for it, as in Ganeti 3.2. */
  readonly needsOptions: boolean
}

/** Whether a user may do something; undefined if not. */
export function grantedBy(
  grants: Grants,
  { permissions, access }: Need,
  { isClosed, needsOptions }: Openness,
): Granted | undefined {
  if (permissions.length === 0) return OPEN
  const needsNoRight = access.length === 0
  if (grants.kind === 'rights') {
    // `write` implies `read` only where a method lists both.
    const right = access.find((one) => grants.rights.has(one))
    if (right !== undefined) return { by: right, within: [] }
    return needsNoRight && (!needsOptions || grants.rights.size > 0) ? OPEN : undefined
  }
  const by = new Set<string>()
  const within: (readonly Selector[])[] = []
  for (const permission of permissions) {
    const words = grants.words.get(permission)
    if (!words) return needsNoRight && !isClosed ? OPEN : undefined
    const selectors = selectorsOf(words)
    if (selectors) within.push(selectors)
    const needed = selectors ? words : words.filter(({ selector }) => !selector).slice(0, 1)
    for (const { text } of needed) by.add(text)
  }
  return { by: [...by].join(' '), within }
}

/** By what words select objects; undefined if one of them grants it for all. */
export function selectorsOf(words: readonly Word[]): readonly Selector[] | undefined {
  const selectors = words.flatMap(({ selector }) => selector ?? [])
  return selectors.length === words.length ? selectors : undefined
}

/** For each permission that a user has with selectors alone, these selectors. */
export function limitsOf(grants: Grants): readonly (readonly Selector[])[] {
  if (grants.kind === 'rights') return []
  const limits = [...grants.words.values()].flatMap((words) => {
    const selectors = selectorsOf(words)
    return selectors ? [selectors] : []
  })
  return [...new Map(limits.map((selectors) => [JSON.stringify(selectors), selectors])).values()]
}

/** All selectors of a user. */
export function allSelectors(grants: Grants): readonly Selector[] {
  return grants.kind === 'rights' ? [] : grants.selectors
}

/**
 * By what a user sees objects of a kind, with any word; undefined for all.
 * @param isOpen whether strangers see all of them
 */
export function seenBy(grants: Grants, kind: ScopedKind, isOpen: boolean): readonly Selector[] | undefined {
  if (grants.kind === 'rights') return undefined
  const words = [`${kind}s.list`, `${kind}s.query`].flatMap(
    (permission) => grants.words.get(permission as Permission) ?? [],
  )
  return words.length === 0 && isOpen ? undefined : selectorsOf(words)
}

/**
 * Reads the options of a user.
 * @param warn called for each word that means nothing, with a reason that has no secret
 */
export function parseGrants(options: string, warn: (reason: string) => void): Grants {
  const words = options
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '')
  const granted = new Map<Permission, Word[]>()
  const removed: string[] = []
  const old: string[] = []
  let isNew = false
  let isUnclear = false
  const grant = (permissions: readonly Permission[], text: string, selector?: Selector) => {
    for (const permission of permissions) {
      if (selector && WHOLE_CLUSTER.has(permission)) continue
      const words = granted.get(permission) ?? []
      granted.set(permission, words)
      words.push(!selector || SAME_FOR_ALL.has(permission) ? { text } : { text, selector })
    }
  }

  // A field with spaces may have the rest of a password, so nothing of it is shown.
  const hasSpaces = words.some((word) => /\s/.test(word))
  for (const [index, word] of words.entries()) {
    const mark = word.indexOf('!')
    const plain = mark < 0 ? word : word.slice(0, mark)
    const selector = mark < 0 ? undefined : parseSelector(word.slice(mark + 1))
    const name = plain.replace(/^[@+-]/, '')
    const isRemoval = word.startsWith('-')
    const isRole = plain.startsWith('@') && Object.hasOwn(ROLES, name)
    const isPermission = !plain.startsWith('@') && PERMISSION_NAMES.has(name)
    const isLimited = selector !== undefined
    if (Object.hasOwn(OLD_WORDS, word)) {
      old.push(word)
      continue
    }
    if (LOOKS_NEW.test(word)) isNew = true
    if (isRemoval && isPermission && !isLimited) {
      removed.push(name)
    } else if (!isRemoval && (isRole || isPermission) && typeof selector !== 'string') {
      const permissions = isRole ? ROLES[name as Role] : [name as Permission]
      grant(permissions, word, selector)
      if (isLimited && isPermission && WHOLE_CLUSTER.has(name as Permission))
        warn(
          `option ${JSON.stringify(word)} grants nothing: it is about the whole cluster, and takes no selector`,
        )
    } else {
      const mayRemove = isRemoval || !ADDS.test(word)
      isNew ||= mayRemove
      isUnclear ||= mayRemove
      warn(`${faultOf(word, index + 1, hasSpaces)}${mayRemove ? NOTHING_LEFT : ''}`)
    }
  }
  if (!isNew) return { kind: 'rights', rights: new Set(old.flatMap((word) => OLD_WORDS[word]?.rights ?? [])) }
  for (const word of old) grant(ROLES[(OLD_WORDS[word] as { role: Role }).role], word)
  for (const name of removed) granted.delete(name as Permission)
  if (isUnclear) granted.clear()
  const selectors = new Set([...granted.values()].flat().flatMap(({ selector }) => selector ?? []))
  return { kind: 'permissions', words: granted, selectors: [...selectors] }
}

const NOTHING_LEFT = '; the user may do nothing, as it is unknown what to take away'

/**
 * What is wrong with a word, and what may be meant. It is shown only if it looks like an option.
 * @param number its place among the options
 */
function faultOf(word: string, number: number, hasSpaces: boolean): string {
  if (/\s/.test(word))
    return `option ${number} contains a space and is ignored (a comment needs a line of its own)`
  const sign = /^[+-]/.exec(word)?.[0] ?? ''
  const [name = '', ...others] = word.slice(sign.length).split('!')
  const selector = others.length > 0 ? parseSelector(others.join('!')) : undefined
  const shown = `option ${hasSpaces || !IS_OPTION.test(word) ? number : JSON.stringify(word.slice(0, 64))}`
  if (sign !== '' && name.startsWith('@'))
    return `${shown} means nothing: roles cannot be added or taken away`
  if (sign !== '' && Object.hasOwn(OLD_WORDS, name))
    return `${shown} means nothing: only permissions have a sign`
  if (name.includes('*')) return `${shown} means nothing: there are no wildcards`
  if (selector !== undefined && Object.hasOwn(OLD_WORDS, name))
    return `${shown} means nothing: only roles and permissions have a selector`
  if (selector !== undefined && sign === '-')
    return `${shown} means nothing: what is taken away has no selector`
  if (typeof selector === 'string') return `${shown} is ignored: ${selector}`
  const near = ADDS.test(name) ? nearest(name) : undefined
  return `${shown} is not known and is ignored${near === undefined ? '' : ` (meant: ${sign}${near}?)`}`
}

/** The known word that is nearest to one; undefined if none is near. */
function nearest(word: string): string | undefined {
  const least = {
    distance: Math.max(2, Math.floor(word.length / 4)) + 1,
    word: undefined as string | undefined,
  }
  for (const known of KNOWN_WORDS) {
    const distance = editDistance(word.slice(0, 64), known)
    if (distance < least.distance) Object.assign(least, { distance, word: known })
  }
  return least.word
}

/** How many letters must be added, removed or replaced to make one word of another (Levenshtein distance). */
function editDistance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, column) => column)
  for (let line = 1; line <= one.length; line++) {
    const next = [line]
    for (let column = 1; column <= other.length; column++) {
      const replaced = (row[column - 1] as number) + (one[line - 1] === other[column - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[column] as number) + 1, (next[column - 1] as number) + 1))
    }
    row = next
  }
  return row[other.length] as number
}
