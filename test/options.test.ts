import t from 'tap'
import {
  FLAGS,
  type Flag,
  helpText,
  type Options,
  optionEntries,
  parseOptions,
  UsageError,
} from '../lib/options.ts'

const DEFAULTS: Options = {
  check: false,
  foreground: false,
  anonymousReads: 'yes',
  debug: false,
  config: undefined,
  staleReads: false,
  anyNode: false,
  anyNodeCa: undefined,
  port: undefined,
  bind: undefined,
  interface: undefined,
  maxClients: 20,
  maxStreams: 256,
  shutdownDelay: 0,
  plainReason: false,
  requireAuthentication: false,
  noUi: false,
  noSsl: false,
  sslKey: [],
  sslCert: [],
  sslChain: undefined,
  audit: 'changes',
  auditOptional: false,
  logFormat: 'ganeti',
  syslog: 'no',
}
const strayed = (quoted: string) =>
  `Usage: /sbin/ganeti-rapi [-f] [-d] [-p port] [-b ADDRESS]\n\nganeti-rapi: error: unexpected argument: ${quoted}\n`
const USAGE = 'Usage: ganeti-rapi [-f] [-d] [-p port] [-b ADDRESS] [-i INTERFACE]\n\nganeti-rapi: error: '
const flags = Object.entries(FLAGS) as [keyof typeof FLAGS, Flag][]

t.test('without arguments every option has its default', (t) => {
  t.strictSame(parseOptions([]), { kind: 'serve', options: DEFAULTS })
  t.end()
})

t.test('every flag of the table is taken in each of its spellings', (t) => {
  const samples: Record<string, [text: string, value: unknown]> = {
    text: ['/some/file', '/some/file'],
    texts: ['/some/file', ['/some/file']],
    integer: ['4711', 4711],
  }
  for (const [name, flag] of flags) {
    const long = `--${flag.long}`
    const spellings: string[][] = []
    if (flag.kind === 'action') {
      spellings.push([long], ...(flag.short ? [[`-${flag.short}`], [`-f${flag.short}`]] : []))
      for (const args of spellings) t.strictSame(parseOptions(args), { kind: name }, args.join(' '))
      continue
    }
    let expected: unknown = true
    if (flag.kind === 'switch') {
      spellings.push([long], ...(flag.short ? [[`-${flag.short}`]] : []))
    } else {
      const choice = flag.kind === 'choice' ? (flag.choices.at(-1) as string) : ''
      let [text, value]: [string, unknown] = samples[flag.kind] ?? [choice, choice]
      if (name === 'bind') text = value = '192.0.2.1'
      expected = value
      spellings.push([long, text], [`${long}=${text}`])
      if (flag.short) spellings.push([`-${flag.short}`, text], [`-${flag.short}${text}`])
    }
    for (const args of spellings) {
      t.strictSame(
        parseOptions(args),
        { kind: 'serve', options: { ...DEFAULTS, [name]: expected } },
        args.join(' '),
      )
    }
  }
  t.end()
})

const parsed: [line: string, expected: Partial<Options> | 'help' | 'version' | 'hashPassword'][] = [
  ['-fd', { foreground: true, debug: true }],
  ['-fdp5090', { foreground: true, debug: true, port: 5090 }],
  ['-dp 5090 -f', { foreground: true, debug: true, port: 5090 }],
  ['-f -f', { foreground: true }],
  ['-p 1 --port=2', { port: 2 }],
  ['--foreg', { foreground: true }],
  ['--ssl-k key --ssl-ce cert --ssl-ch chain', { sslKey: ['key'], sslCert: ['cert'], sslChain: 'chain' }],
  ['--req', { requireAuthentication: true }],
  ['--no', { noSsl: true }],
  ['--config=a=b', { config: 'a=b' }],
  ['--conf -', { config: '-' }],
  ['-K -f', { sslKey: ['-f'] }],
  ['-K --', { sslKey: ['--'] }],
  ['-f --', { foreground: true }],
  ['-b ::', { bind: '::' }],
  ['-b fe80::1%eth0', { bind: 'fe80::1%eth0' }],
  ['-p 0', { port: 0 }],
  ['-p 65535', { port: 65535 }],
  ['-p 010', { port: 8 }],
  ['-p 0x10', { port: 16 }],
  ['-p 0o17', { port: 15 }],
  ['-p 0b101', { port: 5 }],
  ['-p 0b', { port: 0 }],
  ['-p +7', { port: 7 }],
  ['-p 5_090', { port: 5090 }],
  ['-p -0', { port: 0 }],
  ['--max-clients 1', { maxClients: 1 }],
  ['--max-streams 0', { maxStreams: 0 }],
  ['--shutdown 30', { shutdownDelay: 30 }],
  ['--syslog=only', { syslog: 'only' }],
  ['--stale-reads', { staleReads: true }],
  ['--any-node', { anyNode: true }],
  ['--any-node --any-node-ca /ca.pem', { anyNode: true, anyNodeCa: '/ca.pem' }],
  ['-h', 'help'],
  ['--h', 'help'],
  ['-fh', 'help'],
  ['-fhx', 'help'],
  ['--help --bogus', 'help'],
  ['-p 70000 extra --help', 'help'],
  ['-i eth0 -b 127.0.0.1 --version', 'version'],
  ['--version -h', 'version'],
  ['--hash', 'hashPassword'],
]

t.test('command lines that the original takes mean the same here', (t) => {
  for (const [line, expected] of parsed) {
    const wanted =
      typeof expected === 'string'
        ? { kind: expected }
        : { kind: 'serve', options: { ...DEFAULTS, ...expected } }
    t.strictSame(parseOptions(line.split(' ')), wanted, line)
  }
  t.strictSame(parseOptions(['-p', ' 5 ']), { kind: 'serve', options: { ...DEFAULTS, port: 5 } })
  t.end()
})

t.test('keys and certificates may be given several times, and keep their order', (t) => {
  const given = (sslKey: string[], sslCert: string[]) => ({
    kind: 'serve',
    options: { ...DEFAULTS, sslKey, sslCert },
  })
  const line = (text: string) => parseOptions(text.split(' '))
  t.strictSame(line('-K a -C b --ssl-key=c -Cd'), given(['a', 'c'], ['b', 'd']))
  t.strictSame(line('-K a -K b -C c -C d'), given(['a', 'b'], ['c', 'd']))
  t.strictSame(line('-K a -K a -C a -C a'), given(['a', 'a'], ['a', 'a']))
  t.end()
})

const refused: [args: string[], text: string, status: number][] = [
  [['--bogus'], `${USAGE}no such option: --bogus\n`, 2],
  [['--bogus=3'], `${USAGE}no such option: --bogus\n`, 2],
  [['-x'], `${USAGE}no such option: -x\n`, 2],
  [['-fxd'], `${USAGE}no such option: -x\n`, 2],
  [['-é'], `${USAGE}no such option: -é\n`, 2],
  [['-p'], `${USAGE}-p option requires 1 argument\n`, 2],
  [['-fp'], `${USAGE}-p option requires 1 argument\n`, 2],
  [['--po'], `${USAGE}--port option requires 1 argument\n`, 2],
  [['-p', 'abc'], `${USAGE}option -p: invalid integer value: 'abc'\n`, 2],
  [['-p=1'], `${USAGE}option -p: invalid integer value: '=1'\n`, 2],
  [['-p', '-f'], `${USAGE}option -p: invalid integer value: '-f'\n`, 2],
  [['-p', ''], `${USAGE}option -p: invalid integer value: ''\n`, 2],
  [['-p', "it's"], `${USAGE}option -p: invalid integer value: "it's"\n`, 2],
  [['-p', `'"`], `${USAGE}option -p: invalid integer value: '\\'"'\n`, 2],
  [['-p', 'a\x1b\\b'], `${USAGE}option -p: invalid integer value: 'a\\x1b\\\\b'\n`, 2],
  [['-p', '08'], `${USAGE}option -p: invalid integer value: '08'\n`, 2],
  [['-p', '0x'], `${USAGE}option -p: invalid integer value: '0x'\n`, 2],
  [['-p', '0o'], `${USAGE}option -p: invalid integer value: '0o'\n`, 2],
  [['-p', '1__0'], `${USAGE}option -p: invalid integer value: '1__0'\n`, 2],
  [['-p', '1.0'], `${USAGE}option -p: invalid integer value: '1.0'\n`, 2],
  [['--por=x'], `${USAGE}option --port: invalid integer value: 'x'\n`, 2],
  [['--max-clients=x'], `${USAGE}option --max-clients: invalid integer value: 'x'\n`, 2],
  [
    ['--syslog=bogus'],
    `${USAGE}option --syslog: invalid choice: 'bogus' (choose from 'no', 'yes', 'only')\n`,
    2,
  ],
  [['--ssl-c', 'x'], `${USAGE}ambiguous option: --ssl-c (--ssl-cert, --ssl-chain?)\n`, 2],
  [['--foreground=1'], `${USAGE}--foreground option does not take a value\n`, 2],
  [['--help=1'], `${USAGE}--help option does not take a value\n`, 2],
  [['--bogus', '--help'], `${USAGE}no such option: --bogus\n`, 2],
  [['extra'], strayed("'extra'"), 1],
  [['-f', '--', '-d'], strayed("'-d'"), 1],
  [['-'], strayed("'-'"), 1],
  [[''], strayed("''"), 1],
  [['--max-clients=0'], '/sbin/ganeti-rapi --max-clients argument must be >= 1\n', 1],
  [['--max-streams=-1'], 'Invalid number of streams -1: must be 0-10000\n', 1],
  [['-K', 'a', '-K', 'b'], 'Each SSL key needs its certificate: 2 keys and 0 certificates are given\n', 1],
  [
    ['-C', 'a', '-K', 'b', '-C', 'c'],
    'Each SSL key needs its certificate: 1 key and 2 certificates are given\n',
    1,
  ],
  [['--shutdown-delay=86401'], 'Invalid delay 86401: must be 0-86400 seconds\n', 1],
  [['--shutdown-delay=-1'], 'Invalid delay -1: must be 0-86400 seconds\n', 1],
  [['-p', '65536'], 'Invalid port 65536: must be 0-65535\n', 1],
  [['-p-1'], 'Invalid port -1: must be 0-65535\n', 1],
  [['-b', 'bogus'], "Invalid address 'bogus'\n", 1],
  [['-b', '[::1]'], "Invalid address '[::1]'\n", 1],
  [
    ['-i', 'eth0', '-b', '127.0.0.1'],
    "Can't specify both, bind address (127.0.0.1) and bind interface (eth0)\n",
    1,
  ],
  [
    ['--any-node', '--config', 'c.yaml'],
    "Can't specify both, --any-node and --config: a file is not a cluster of nodes\n",
    1,
  ],
]

t.test('command lines that cannot be followed are answered in the words of the original', (t) => {
  for (const [args, text, status] of refused) {
    try {
      parseOptions(args, '/sbin/ganeti-rapi')
      t.fail(`${args.join(' ')} was taken`)
    } catch (error) {
      t.type(error, UsageError)
      t.strictSame([(error as UsageError).text, (error as UsageError).status], [text, status], args.join(' '))
    }
  }
  t.end()
})

t.test('an abbreviation that works with the original is not made ambiguous by flags of ours', (t) => {
  const theirs = flags.filter(([, flag]) => !flag.ours)
  for (const [name, flag] of theirs) {
    for (let length = 1; length < flag.long.length; length++) {
      const start = flag.long.slice(0, length)
      if (theirs.filter(([, other]) => other.long.startsWith(start)).length > 1) continue
      const value = name === 'bind' ? '::1' : flag.kind === 'choice' ? flag.default : '7'
      const valued = flag.kind !== 'switch' && flag.kind !== 'action'
      t.doesNotThrow(() => parseOptions([`--${start}`, ...(valued ? [value] : [])]), `--${start}`)
    }
  }
  t.end()
})

t.test('no two flags share a name, and every one is described', (t) => {
  const names = optionEntries().flatMap((entry) => entry.names)
  t.equal(new Set(names).size, names.length)
  t.equal(optionEntries().length, flags.length)
  for (const { names, doc, metavar, default: otherwise } of optionEntries()) {
    t.match(doc, /^[A-Z].*\.$/, `${names.join(', ')} is described in whole sentences`)
    t.equal(otherwise !== undefined, metavar !== undefined, 'what takes a value says what holds without one')
  }
  t.end()
})

t.test('help shows every flag with its value and default, within 78 columns', (t) => {
  const help = helpText()
  t.ok(help.startsWith('Usage: ganeti-rapi [-f] [-d] [-p port] [-b ADDRESS] [-i INTERFACE]\n\n'))
  const flat = help.replace(/\s+/g, ' ')
  for (const { names, metavar, doc, default: otherwise } of optionEntries()) {
    const long = names.at(-1) as string
    t.ok(flat.includes(metavar === undefined ? `${long} ` : `${long}=${metavar} `), long)
    t.ok(flat.includes(otherwise === undefined ? doc : `${doc} (default: ${otherwise})`), `${long}: text`)
  }
  for (const line of help.split('\n')) t.ok(line.length <= 78 && line === line.trimEnd(), line)
  t.match(help, /^ {2}-p PORT, --port=PORT {2}\S/m, 'a short entry has its text beside it')
  t.match(help, /^ {2}--require-authentication\n {24}\S/m, 'a long one below')
  t.end()
})
