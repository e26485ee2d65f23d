/**
 * The command line: one table of flags, from which the parser, the type of its
 * result, `--help` and the manual page's OPTIONS are made.
 *
 * Behaves like the original, which uses Python's optparse: short flags may be
 * combined, a long one may be abbreviated as long as it is unambiguous, and the
 * first wrong flag (or the first `--help`) decides. Parsing only converts text
 * to values and opens no files, so `--help` always works.
 */
import { isIP } from 'node:net'
import { defaultPaths } from './paths.ts'

export const PROGRAM = 'ganeti-rapi'

/** The longest delay of a shutdown in seconds. */
const LONGEST_SHUTDOWN_DELAY = 86_400
const MOST_STREAMS = 10_000

const USAGE = `Usage: ${PROGRAM} [-f] [-d] [-p port] [-b ADDRESS] [-i INTERFACE]`

interface Described {
  /** The long name, without its dashes. */
  readonly long: string
  /** The one-letter name, without its dash. */
  readonly short?: string
  /** What it does: a sentence or two for `--help` and the manual page, without markup. */
  readonly doc: string
  /** Set if Ganeti has no such flag: it must not make an abbreviation of Ganeti's flags ambiguous. */
  readonly ours?: true
}

interface Valued extends Described {
  /** The placeholder for the value in help texts. */
  readonly metavar: string
  /** What happens without the flag, in words; needed only where there is no `default` to show. */
  readonly otherwise?: string
}

/** Present or not. */
interface Switch extends Described {
  readonly kind: 'switch'
}
/** Ends parsing at once; the program does this instead of serving. */
interface Action extends Described {
  readonly kind: 'action'
}
interface Text extends Valued {
  readonly kind: 'text'
}
/** May be given several times; its value is the list of all, empty without the flag. */
interface Texts extends Valued {
  readonly kind: 'texts'
}
interface Integer extends Valued {
  readonly kind: 'integer'
  readonly default?: number
}
interface Choice extends Valued {
  readonly kind: 'choice'
  readonly choices: readonly string[]
  readonly default: string
}

export type Flag = Switch | Action | Text | Texts | Integer | Choice

const { rapiPem, configData, clusterYaml } = defaultPaths(undefined)

/** Every flag, by the name of its value in the parsed options; help texts keep this order. */
export const FLAGS = {
  version: { kind: 'action', long: 'version', doc: 'Print the version and exit.' },
  help: { kind: 'action', short: 'h', long: 'help', doc: 'Print this help and exit.' },
  hashPassword: {
    kind: 'action',
    long: 'hash-password',
    ours: true,
    doc: 'Read a password from the terminal or from standard input, print its hash for the users file, and exit.',
  },
  check: {
    kind: 'switch',
    long: 'check',
    ours: true,
    doc: 'Start nothing: read options, certificate, users and cluster state as a start would, print what is wrong with them and what each user may do, and exit with 0 if a start would succeed, otherwise 1.',
  },
  foreground: {
    kind: 'switch',
    short: 'f',
    long: 'foreground',
    doc: 'Stay in the foreground and log to standard error as well.',
  },
  debug: {
    kind: 'switch',
    short: 'd',
    long: 'debug',
    doc: 'Log debug messages, and the source file and line of each message.',
  },
  config: {
    kind: 'text',
    long: 'config',
    ours: true,
    metavar: 'FILE',
    otherwise: `the master daemon on a node of a cluster, else ${configData} or ${clusterYaml}`,
    doc: "Read the cluster's state from FILE: either Ganeti's own JSON, or YAML.",
  },
  staleReads: {
    kind: 'switch',
    long: 'stale-reads',
    ours: true,
    doc: `While the master daemon cannot be reached, answer read requests that need no right from ${configData}; a header gives the date of that file.`,
  },
  anyNode: {
    kind: 'switch',
    long: 'any-node',
    ours: true,
    doc: 'Serve on any node of a cluster: where this is not the master, forward requests to the daemon there. Includes --stale-reads. See ANY NODE.',
  },
  anyNodeCa: {
    kind: 'text',
    long: 'any-node-ca',
    ours: true,
    metavar: 'FILE',
    otherwise: 'it must have the same certificate as this daemon',
    doc: "With --any-node, accept the master's daemon if its certificate is for the name of its node, and issued by one of those in this PEM file.",
  },
  port: {
    kind: 'integer',
    short: 'p',
    long: 'port',
    metavar: 'PORT',
    otherwise: 'the tcp service ganeti-rapi, or 5080',
    doc: 'Listen on this port; 0 lets the system choose one.',
  },
  bind: {
    kind: 'text',
    short: 'b',
    long: 'bind',
    metavar: 'ADDRESS',
    otherwise: 'all addresses',
    doc: 'Listen on this IPv4 or IPv6 address only.',
  },
  interface: {
    kind: 'text',
    short: 'i',
    long: 'interface',
    metavar: 'INTERFACE',
    otherwise: 'all interfaces',
    doc: 'Listen on the address of this network interface only.',
  },
  maxClients: {
    kind: 'integer',
    long: 'max-clients',
    metavar: 'NUMBER',
    default: 20,
    doc: 'Work on at most this many requests at once; see LIMITS.',
  },
  maxStreams: {
    kind: 'integer',
    long: 'max-streams',
    ours: true,
    metavar: 'NUMBER',
    default: 256,
    doc: 'Let at most this many clients follow events at once; see EVENTS.',
  },
  shutdownDelay: {
    kind: 'integer',
    long: 'shutdown-delay',
    ours: true,
    metavar: 'SECONDS',
    default: 0,
    doc: 'After a signal to stop, go on for so long while /readyz says that this daemon is not ready.',
  },
  plainReason: {
    kind: 'switch',
    long: 'plain-reason',
    ours: true,
    doc: 'Leave user and request id out of the reason trail of jobs.',
  },
  requireAuthentication: {
    kind: 'switch',
    long: 'require-authentication',
    doc: 'Require a user from the users file for every request, also where no right is needed.',
  },
  anonymousReads: {
    kind: 'choice',
    long: 'anonymous-reads',
    ours: true,
    metavar: 'yes|no',
    choices: ['yes', 'no'],
    default: 'yes',
    doc: 'Answer reads that need no right without a user; no: as Ganeti from 3.2 on, only the few that are public.',
  },
  noUi: {
    kind: 'switch',
    long: 'no-ui',
    ours: true,
    doc: 'Do not serve the page at /ui/ that shows the cluster in a browser.',
  },
  noSsl: { kind: 'switch', long: 'no-ssl', doc: 'Speak plain HTTP instead of HTTPS.' },
  sslKey: {
    kind: 'texts',
    short: 'K',
    long: 'ssl-key',
    metavar: 'FILE',
    otherwise: rapiPem,
    doc: 'Take the private key from this PEM file. May be given again for a key of another type: the first key belongs to the first certificate, the second to the second.',
  },
  sslCert: {
    kind: 'texts',
    short: 'C',
    long: 'ssl-cert',
    metavar: 'FILE',
    otherwise: rapiPem,
    doc: 'Take the certificate from this PEM file. May be given as often as the key.',
  },
  sslChain: {
    kind: 'text',
    long: 'ssl-chain',
    metavar: 'FILE',
    otherwise: 'none',
    doc: 'Send the intermediate certificates in this PEM file along with our own.',
  },
  audit: {
    kind: 'choice',
    long: 'audit',
    ours: true,
    metavar: 'WHAT',
    choices: ['no', 'changes', 'all'],
    default: 'changes',
    doc: 'Record in the audit log: no (nothing), changes (and refusals), or all (reads as well).',
  },
  auditOptional: {
    kind: 'switch',
    long: 'audit-optional',
    ours: true,
    doc: 'Make changes also while the audit log cannot be written.',
  },
  logFormat: {
    kind: 'choice',
    long: 'log-format',
    ours: true,
    metavar: 'FORMAT',
    choices: ['ganeti', 'json'],
    default: 'ganeti',
    doc: "Write the log as Ganeti's daemons do, or as JSON, one object on each line.",
  },
  syslog: {
    kind: 'choice',
    long: 'syslog',
    metavar: 'WHEN',
    choices: ['no', 'yes', 'only'],
    default: 'no',
    doc: 'Log to syslog: no, yes (besides the log file) or only (instead of it). Debug messages never go there.',
  },
} as const satisfies Readonly<Record<string, Flag>>

type Flags = typeof FLAGS
type FlagName = keyof Flags
type NamesOf<Kind extends Flag['kind']> = {
  [Name in FlagName]: Flags[Name]['kind'] extends Kind ? Name : never
}[FlagName]

type ValueOf<F extends Flag> = F extends Switch
  ? boolean
  : F extends { choices: readonly (infer Word)[] }
    ? Word
    : F extends { kind: 'integer'; default: number }
      ? number
      : F extends Integer
        ? number | undefined
        : F extends Texts
          ? readonly string[]
          : string | undefined

type Value = string | number | boolean | readonly string[]

/** The parsed options, with simple defaults filled in; undefined if the default depends on other things. */
export type Options = { readonly [Name in Exclude<FlagName, NamesOf<'action'>>]: ValueOf<Flags[Name]> }

/** What the program is asked to do. */
export type Command =
  | { readonly kind: 'serve'; readonly options: Options }
  | { readonly kind: NamesOf<'action'> }

/** An invalid command line. */
export class UsageError extends Error {
  override readonly name = 'UsageError'

  /**
   * @param message what is wrong
   * @param status the exit status: 2 where the words could not be parsed, 1 where their meaning is wrong
   */
  constructor(
    message: string,
    readonly status: 1 | 2,
  ) {
    super(message)
  }

  /** Everything to print on standard error, ending in a newline. */
  get text(): string {
    return this.status === 2 ? `${USAGE}\n\n${PROGRAM}: error: ${this.message}\n` : `${this.message}\n`
  }
}

const FLAG_LIST: readonly (readonly [FlagName, Flag])[] = Object.entries(FLAGS) as [FlagName, Flag][]

/**
 * Reads a command line.
 *
 * @param args the arguments, without interpreter and program
 * @param invokedAs the program as it was called, for messages in which the original shows that
 * @throws UsageError
 */
export function parseOptions(args: readonly string[], invokedAs: string = PROGRAM): Command {
  const values: { [Name in FlagName]?: Value } = {}
  const strays: string[] = []
  const rest = [...args]

  /** Stores the value of one flag; returns the command if it is an action, which ends parsing. */
  const take = (name: FlagName, spelled: string, attached: string | undefined): Command | undefined => {
    const flag: Flag = FLAGS[name]
    if (flag.kind === 'switch' || flag.kind === 'action') {
      if (attached !== undefined) throw new UsageError(`${spelled} option does not take a value`, 2)
      if (flag.kind === 'action') return { kind: name as NamesOf<'action'> }
      values[name] = true
      return undefined
    }
    const value = attached ?? rest.shift()
    if (value === undefined) throw new UsageError(`${spelled} option requires 1 argument`, 2)
    values[name] =
      flag.kind === 'texts'
        ? [...((values[name] as readonly string[] | undefined) ?? []), value]
        : readValue(flag, spelled, value)
    return undefined
  }

  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    if (arg === '--') {
      strays.push(...rest.splice(0))
    } else if (arg.startsWith('--')) {
      const equals = arg.indexOf('=')
      const [name, flag] = longFlag(equals < 0 ? arg : arg.slice(0, equals))
      const action = take(name, `--${flag.long}`, equals < 0 ? undefined : arg.slice(equals + 1))
      if (action) return action
    } else if (arg.startsWith('-') && arg !== '-') {
      for (let letters = arg.slice(1); letters !== ''; ) {
        const letter = String.fromCodePoint(letters.codePointAt(0) as number)
        letters = letters.slice(letter.length)
        const [name, flag] = shortFlag(letter)
        const takesRest = flag.kind !== 'switch' && flag.kind !== 'action' && letters !== ''
        const action = take(name, `-${letter}`, takesRest ? letters : undefined)
        if (action) return action
        if (takesRest) break
      }
    } else {
      strays.push(arg)
    }
  }

  const [stray] = strays
  if (stray !== undefined) {
    // The original shows the usage alone.
    const usage = `Usage: ${invokedAs} [-f] [-d] [-p port] [-b ADDRESS]`
    throw new UsageError(`${usage}\n\n${PROGRAM}: error: unexpected argument: ${quoted(stray)}`, 1)
  }
  const options = withDefaults(values)
  checkMeaning(options, invokedAs)
  return { kind: 'serve', options }
}

function shortFlag(letter: string): readonly [FlagName, Flag] {
  const found = FLAG_LIST.find(([, flag]) => flag.short === letter)
  if (!found) throw new UsageError(`no such option: -${letter}`, 2)
  return found
}

/** Finds a flag by its long name or the beginning of it, dashes included. */
function longFlag(spelled: string): readonly [FlagName, Flag] {
  const possible = FLAG_LIST.filter(([, flag]) => `--${flag.long}`.startsWith(spelled))
  const exact = possible.find(([, flag]) => `--${flag.long}` === spelled)
  if (exact) return exact
  const theirs = possible.filter(([, flag]) => !flag.ours)
  const [found, another] = theirs.length === 1 ? theirs : possible
  if (!found) throw new UsageError(`no such option: ${spelled}`, 2)
  if (another) {
    const names = possible.map(([, flag]) => `--${flag.long}`).sort()
    throw new UsageError(`ambiguous option: ${spelled} (${names.join(', ')}?)`, 2)
  }
  return found
}

function readValue(flag: Text | Integer | Choice, spelled: string, text: string): string | number {
  switch (flag.kind) {
    case 'text':
      return text
    case 'integer': {
      const number = parseInteger(text)
      if (number === undefined) {
        throw new UsageError(`option ${spelled}: invalid integer value: ${quoted(text)}`, 2)
      }
      return number
    }
    case 'choice': {
      if (flag.choices.includes(text)) return text
      const choices = flag.choices.map(quoted).join(', ')
      throw new UsageError(`option ${spelled}: invalid choice: ${quoted(text)} (choose from ${choices})`, 2)
    }
  }
}

/** Hexadecimal, binary, octal (so `010` is 8) and decimal; digits may be separated by single underscores. */
const INTEGERS: readonly (readonly [pattern: RegExp, base: number])[] = [
  [/^0x((?:_?[\da-f])+)$/i, 16],
  [/^0b([01](?:_?[01])*)?$/i, 2],
  [/^0(?:o(?=_?[0-7]))?((?:_?[0-7])*)$/i, 8],
  [/^(?!0)\s*([+-]?\d(?:_?\d)*)$/, 10],
]

/** Reads an integer in the notations that optparse takes (optparse.py, _parse_num); undefined for anything else. */
function parseInteger(text: string): number | undefined {
  for (const [pattern, base] of INTEGERS) {
    const match = pattern.exec(text.trimEnd())
    // No digits (`0`, `0b`) and a minus before zero are plain zero.
    if (match) return Number.parseInt((match[1] ?? '').replaceAll('_', ''), base) || 0
  }
  return undefined
}

/** Quotes a word as Python shows a string, control characters escaped. */
function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'"
  const escaped = text.replace(/[\\\p{Cc}]/gu, (character) => {
    if (character === '\\') return '\\\\'
    return `\\x${(character.codePointAt(0) as number).toString(16).padStart(2, '0')}`
  })
  return quote + (quote === "'" ? escaped.replaceAll("'", "\\'") : escaped) + quote
}

function withDefaults(values: { readonly [Name in FlagName]?: Value }): Options {
  const options: Record<string, Value | undefined> = {}
  for (const [name, flag] of FLAG_LIST) {
    if (flag.kind === 'action') continue
    options[name] = values[name] ?? valueWithout(flag)
  }
  // The loop gave each flag of the table the kind of value its entry says.
  return options as unknown as Options
}

/** The value of an option whose flag is not given. */
function valueWithout(flag: Exclude<Flag, Action>): Value | undefined {
  switch (flag.kind) {
    case 'switch':
      return false
    case 'texts':
      return []
    default:
      return defaultOf(flag)
  }
}

function defaultOf(flag: Text | Texts | Integer | Choice): string | number | undefined {
  return flag.kind === 'text' || flag.kind === 'texts' ? undefined : flag.default
}

/** Checks values and their combinations, including those that the original checks only when it uses them. */
function checkMeaning(options: Options, invokedAs: string): void {
  if (options.bind !== undefined && options.interface !== undefined) {
    throw new UsageError(
      `Can't specify both, bind address (${options.bind}) and bind interface (${options.interface})`,
      1,
    )
  }
  if (options.anyNode && options.config !== undefined) {
    throw new UsageError("Can't specify both, --any-node and --config: a file is not a cluster of nodes", 1)
  }
  const { sslKey, sslCert } = options
  if ((sslKey.length > 1 || sslCert.length > 1) && sslKey.length !== sslCert.length) {
    throw new UsageError(
      `Each SSL key needs its certificate: ${counted(sslKey, 'key')} and ${counted(sslCert, 'certificate')} are given`,
      1,
    )
  }
  if (options.maxClients < 1) throw new UsageError(`${invokedAs} --max-clients argument must be >= 1`, 1)
  if (!(options.maxStreams >= 0 && options.maxStreams <= MOST_STREAMS)) {
    throw new UsageError(`Invalid number of streams ${options.maxStreams}: must be 0-${MOST_STREAMS}`, 1)
  }
  if (!(options.shutdownDelay >= 0 && options.shutdownDelay <= LONGEST_SHUTDOWN_DELAY)) {
    throw new UsageError(
      `Invalid delay ${options.shutdownDelay}: must be 0-${LONGEST_SHUTDOWN_DELAY} seconds`,
      1,
    )
  }
  if (options.port !== undefined && !(options.port >= 0 && options.port <= 65535)) {
    throw new UsageError(`Invalid port ${options.port}: must be 0-65535`, 1)
  }
  if (options.bind !== undefined && isIP(options.bind) === 0) {
    throw new UsageError(`Invalid address ${quoted(options.bind)}`, 1)
  }
}

function counted(given: readonly string[], noun: string): string {
  return `${given.length} ${noun}${given.length === 1 ? '' : 's'}`
}

/** A flag as help texts and the manual page describe it: plain text, no markup. */
export interface OptionEntry {
  /** With dashes, the short name first. */
  readonly names: readonly string[]
  /** The placeholder for the value; absent if there is no value. */
  readonly metavar?: string
  readonly doc: string
  /** The default; absent for flags without a value. */
  readonly default?: string
}

/** Describes every flag, in the order of the table. */
export function optionEntries(): readonly OptionEntry[] {
  return FLAG_LIST.map(([, flag]) => {
    const names = flag.short ? [`-${flag.short}`, `--${flag.long}`] : [`--${flag.long}`]
    if (flag.kind === 'switch' || flag.kind === 'action') return { names, doc: flag.doc }
    const otherwise = flag.otherwise ?? defaultOf(flag)
    const entry = { names, metavar: flag.metavar, doc: flag.doc }
    return otherwise === undefined ? entry : { ...entry, default: String(otherwise) }
  })
}

const HELP_WIDTH = 78
const HELP_COLUMN = 24

/** The text of `--help`, in the layout of optparse, ending in a newline. */
export function helpText(): string {
  const lines = [USAGE, '', 'Serves the remote API of a Ganeti cluster over HTTPS.', '', 'Options:']
  for (const { names, metavar, doc, default: otherwise } of optionEntries()) {
    const spelled = names.map((name) => name + valueSign(name, metavar)).join(', ')
    const text = wrap(
      otherwise === undefined ? doc : `${doc} (default: ${otherwise})`,
      HELP_WIDTH - HELP_COLUMN,
    )
    const beside = 2 + spelled.length + 2 <= HELP_COLUMN
    lines.push(`  ${spelled}`.padEnd(beside ? HELP_COLUMN : 0) + (beside ? text.shift() : ''))
    lines.push(...text.map((line) => ' '.repeat(HELP_COLUMN) + line))
  }
  return `${lines.join('\n')}\n`
}

function valueSign(name: string, metavar: string | undefined): string {
  if (metavar === undefined) return ''
  return (name.startsWith('--') ? '=' : ' ') + metavar
}

/** Breaks a text at spaces into lines of at most `width` characters. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else {
      line = line === '' ? word : `${line} ${word}`
    }
  }
  lines.push(line)
  return lines
}
