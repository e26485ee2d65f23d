/**
 * Whose the cluster's file is, and who may do what with it, before and after a
 * change: a table of files and folders, as root and as a user, and in the
 * sandbox of the packaged unit as far as it can be had without systemd: a user
 * namespace that knows root and the daemon's user alone (PrivateUsers=), and a
 * tree that is read-only but for one folder (ProtectSystem=strict).
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { makeAlike } from '../../../../lib/backend/config-file/state/file-attributes.ts'
import { until } from '../../../support/until.ts'

const PROGRAM = fileURLToPath(new URL('./programs/change-file.js', import.meta.url))
const YAML = 'cluster: {name: c}\nnodes: {n1: {}}\n'
/** Who the daemon is, a group that it is in, and one that it is not in. */
const USER = 12345
const ITS_GROUP = 12346
const OTHER_GROUP = 23456
const OTHER_USER = 23457

/** Runs python3, which has calls for extended attributes. */
function python(code: string, ...args: string[]): string {
  const head = 'import os, struct, sys\n'
  return execFileSync('python3', ['-c', head + code, ...args], { encoding: 'utf8' })
}

/** Gives a file an ACL with rights for one user, whatever the group may do. */
const SET_ACL = `
def acl(kind, group):
  e = [(1, 6, -1), (2, 6, 1234), (4, group, -1), (16, 6, -1), (32, 0, -1)]
  v = struct.pack('<I', 2) + b''.join(struct.pack('<HHi', *x) for x in e)
  os.setxattr(sys.argv[1], 'system.posix_acl_' + kind, v)
`
const GET_EXTRAS = `
print({name: os.getxattr(sys.argv[1], name).hex() for name in sorted(os.listxattr(sys.argv[1]))})
`

type Runner = (folder: string, command: readonly string[]) => Promise<string>

const env = { PATH: process.env.PATH }

/** The test runner adds to the environment of every process that is started, so that it writes where a user may not: away with that. */
function started(command: readonly string[]) {
  return spawn('env', ['-i', `PATH=${env.PATH}`, ...command], { stdio: ['pipe', 'pipe', 'inherit'] })
}

async function output(command: readonly string[]): Promise<string> {
  const child = started(command)
  child.stdin.end()
  return read(child.stdout)
}

async function read(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

const become = (...groups: number[]) => [
  'setpriv',
  `--reuid=${USER}`,
  `--regid=${USER}`,
  groups.length > 0 ? `--groups=${groups}` : '--clear-groups',
]

const asRoot: Runner = (_folder, command) => output(command)
const asUser: Runner = (_folder, command) => output([...become(), ...command])
const asMember: Runner = (_folder, command) => output([...become(ITS_GROUP), ...command])
const withoutTar: Runner = (_folder, command) => output([...become(), 'env', 'PATH=/nonexistent', ...command])
const withoutSetfacl: Runner = async (_folder, command) => {
  const programs = mkdtempSync(join(tmpdir(), 'programs-'))
  try {
    chmodSync(programs, 0o755)
    symlinkSync(execFileSync('which', ['tar'], { encoding: 'utf8' }).trim(), join(programs, 'tar'))
    return await output([...become(), 'env', `PATH=${programs}`, ...command])
  } finally {
    rmSync(programs, { recursive: true })
  }
}
const mounted: Runner = (folder, command) => {
  const mount = 'mount --bind "$1/cluster.yaml" "$1/cluster.yaml"; shift; exec "$@"'
  return output(['unshare', '--mount', 'bash', '-euc', mount, 'bash', folder, ...become(), ...command])
}

/** As the unit has it. Who makes a user namespace says from outside which users it knows. */
const sandboxed: Runner = async (folder, command) => {
  const script = `
    mount --bind "$1" "$1"
    mount -o remount,bind,ro /
    shift
    exec unshare --user bash -euc 'read -r _; exec "$@"' bash "$@"`
  const args = ['--mount', 'bash', '-euc', script, 'bash', folder, ...become(ITS_GROUP), ...command]
  const withoutGroups = args.map((arg) => (arg.startsWith('--groups=') ? '--clear-groups' : arg))
  const child = started(['unshare', ...withoutGroups])
  const gone = once(child, 'exit')
  const own = readlinkSync('/proc/self/ns/user')
  await until(() => child.exitCode !== null || readlinkSync(`/proc/${child.pid}/ns/user`) !== own)
  for (const map of ['uid_map', 'gid_map'])
    writeFileSync(`/proc/${child.pid}/${map}`, `0 0 1\n${USER} ${USER} 1\n`)
  child.stdin.end('\n')
  const text = await read(child.stdout)
  await gone
  return text
}

/** Whether a wrapper works here at all. */
const possible =
  process.geteuid?.() === 0 &&
  ['setpriv', 'python3'].every((program) => spawnSync(program, ['--version']).status === 0) &&
  spawnSync('unshare', ['--mount', 'unshare', '--user', 'true']).status === 0 &&
  // The user must be able to run what is tried.
  spawnSync('setpriv', [...become().slice(1), process.execPath, '--check', PROGRAM]).status === 0

interface Case {
  readonly title: string
  readonly run: Runner
  /** Done to a file that belongs to the user, with mode 0640, in a folder of the user's; as root, in sh and in python. */
  readonly shell?: string
  readonly python?: string
  /** Said of the file afterwards: its mode, owner, group. */
  readonly becomes?: string
  readonly refused?: string
  /** Part of the report, where it is not that the cluster can be changed. */
  readonly report?: RegExp
  /** Undoes what would keep the folder from being removed. */
  readonly cleanUp?: string
  /** Whether file systems here may not have what it takes. */
  readonly mayLack?: boolean
}

const CANNOT = "No job can be taken: cannot write the cluster's file: "
const ANOTHERS = `${CANNOT}it belongs to another user, and could not be replaced by one that does`
const PROTECTED = `${CANNOT}it or its folder is protected against that`

const LOSES_GROUP =
  /^WARNING The cluster can be changed: .*; its group and all others keep only what both may do$/

const CASES: readonly Case[] = [
  { title: 'as root, a file of another user stays theirs', run: asRoot, becomes: `640 ${USER}:${USER}` },
  {
    title: 'as root, so does one of another group and mode',
    run: asRoot,
    shell: `chown ${OTHER_USER}:${OTHER_GROUP} $FILE; chmod 664 $FILE`,
    becomes: `664 ${OTHER_USER}:${OTHER_GROUP}`,
  },
  { title: 'as its owner', run: asUser, becomes: `640 ${USER}:${USER}` },
  {
    title: 'a group that the user is in is kept',
    run: asMember,
    shell: `chown ${USER}:${ITS_GROUP} $FILE`,
    becomes: `640 ${USER}:${ITS_GROUP}`,
  },
  {
    title: 'a group that the user is not in goes, with its rights',
    run: asUser,
    shell: `chown ${USER}:${OTHER_GROUP} $FILE; chmod 660 $FILE`,
    becomes: `600 ${USER}:${USER}`,
    report: LOSES_GROUP,
  },
  {
    title: 'what everybody may do stays',
    run: asUser,
    shell: `chown ${USER}:${OTHER_GROUP} $FILE; chmod 664 $FILE`,
    becomes: `644 ${USER}:${USER}`,
    report: LOSES_GROUP,
  },
  {
    title: 'a group that may do less than others is not among the others afterwards',
    run: asUser,
    shell: `chown ${USER}:${OTHER_GROUP} $FILE; chmod 604 $FILE`,
    becomes: `600 ${USER}:${USER}`,
    report: LOSES_GROUP,
  },
  {
    title: 'in a folder that hands its group down, the group stays what it was',
    run: asUser,
    shell: `chgrp ${OTHER_GROUP} $FOLDER; chmod g+s $FOLDER`,
    becomes: `640 ${USER}:${USER}`,
  },
  {
    title: 'an access control list stays as it is',
    run: asUser,
    python: 'acl("access", 0)',
    becomes: `660 ${USER}:${USER}`,
    mayLack: true,
  },
  {
    title: 'extended attributes stay as they are',
    run: asUser,
    python: 'os.setxattr(sys.argv[1], "user.color", b"blue")',
    becomes: `640 ${USER}:${USER}`,
    mayLack: true,
  },
  {
    title: "a folder's list for new files gives nobody rights",
    run: asUser,
    shell: 'setfacl --version',
    python: 'sys.argv[1] = os.path.dirname(sys.argv[1]); acl("default", 6)',
    becomes: `640 ${USER}:${USER}`,
    mayLack: true,
  },
  {
    title: 'where that cannot be taken away, the file is refused',
    run: withoutSetfacl,
    python: 'sys.argv[1] = os.path.dirname(sys.argv[1]); acl("default", 6)',
    refused: `${CANNOT}its folder gives new files an access control list, which cannot be taken away`,
    report: /: install setfacl, or let the folder have no such list: setfacl -k \//,
    mayLack: true,
  },
  {
    title: 'not even where the group of the file goes',
    run: asUser,
    shell: `setfacl --version; chown ${USER}:${OTHER_GROUP} $FILE`,
    python: 'sys.argv[1] = os.path.dirname(sys.argv[1]); acl("default", 6)',
    becomes: `600 ${USER}:${USER}`,
    report: LOSES_GROUP,
    mayLack: true,
  },
  {
    title: 'where nothing tells of access control lists, the rights of a group may be those of one',
    run: withoutTar,
    becomes: `600 ${USER}:${USER}`,
    report: LOSES_GROUP,
  },
  {
    title: 'an access control list with a group that cannot be kept is refused',
    run: asUser,
    shell: `chown ${USER}:${OTHER_GROUP} $FILE`,
    python: 'acl("access", 0)',
    refused: `${CANNOT}it has an access control list or extended attributes, and a group that cannot be kept`,
    report: /give it a group of the user, or take these away with setfacl -b$/,
    mayLack: true,
  },
  {
    title: 'a file of root is refused',
    run: asUser,
    shell: 'chown root:root $FILE; chmod 644 $FILE',
    refused: ANOTHERS,
    report: /: it is .*cluster.yaml: chown \S+ \/.*cluster.yaml$/,
  },
  {
    title: 'a file that its owner may not write is refused',
    run: asUser,
    shell: 'chmod 444 $FILE',
    refused: `${CANNOT}permission denied`,
  },
  {
    title: 'a folder that the user may not write to is refused',
    run: asUser,
    shell: 'chown root $FOLDER',
    refused: `${CANNOT}its folder is not writable, and the file is replaced rather than written over`,
    report: /: let \S+ write to \/.*: permission denied \(EACCES\)/,
  },
  {
    title: 'so is a file that is mounted by itself',
    run: mounted,
    refused: `${CANNOT}it is mounted by itself, and what is mounted cannot be replaced`,
    report: /: mount its folder, \/.*, instead$/,
  },
  {
    title: 'and one in an append-only folder',
    run: asUser,
    shell: 'chattr +a $FOLDER',
    refused: PROTECTED,
    report: /: look at lsattr \/.* and lsattr -d \/.*: operation not permitted \(EPERM\)/,
    cleanUp: 'chattr -a $FOLDER',
    mayLack: true,
  },
  {
    title: 'as root too',
    run: asRoot,
    shell: 'chattr +a $FOLDER',
    refused: PROTECTED,
    cleanUp: 'chattr -a $FOLDER',
    mayLack: true,
  },
  {
    title: 'and one that is append-only itself',
    run: asRoot,
    shell: 'chattr +a $FILE',
    refused: PROTECTED,
    cleanUp: 'chattr -a $FILE',
    mayLack: true,
  },
  {
    title: 'and one that is immutable',
    run: asRoot,
    shell: 'chattr +i $FILE',
    refused: `${CANNOT}operation not permitted`,
    cleanUp: 'chattr -i $FILE',
    mayLack: true,
  },
  {
    title: 'a folder and a link in the place of the new file are not touched',
    run: asUser,
    shell: `mkdir $FOLDER/.cluster.yaml.new; ln -s precious $FOLDER/.cluster.yaml.1.new; echo mine > $FOLDER/precious`,
    becomes: `640 ${USER}:${USER}`,
  },
  {
    title: 'another name of the file keeps the old text, which the report says',
    run: asUser,
    shell: 'ln $FILE $FOLDER/other',
    becomes: `640 ${USER}:${USER}`,
    report: /^WARNING The cluster can be changed: .*; its other names \(hard links: 1\) keep the old text$/,
  },
  { title: 'in the sandbox of the unit', run: sandboxed, becomes: `640 ${USER}:${USER}` },
  {
    title: 'there, a group that is hidden goes, with its rights',
    run: sandboxed,
    shell: `chown ${USER}:${OTHER_GROUP} $FILE`,
    becomes: `600 ${USER}:${USER}`,
    report: LOSES_GROUP,
  },
  {
    title: 'so it does where the new file has another hidden one from its folder',
    run: sandboxed,
    shell: `chown ${USER}:${OTHER_GROUP} $FILE; chgrp ${ITS_GROUP} $FOLDER; chmod g+s $FOLDER`,
    becomes: `600 ${USER}:${ITS_GROUP}`,
    report: LOSES_GROUP,
  },
  {
    title: 'there, a file of root is refused',
    run: sandboxed,
    shell: 'chown root $FILE',
    refused: ANOTHERS,
  },
  {
    title: 'there, an access control list with a user that is hidden is refused or kept, and never widened',
    run: sandboxed,
    python: 'acl("access", 0)',
    refused: `${CANNOT}its access control list or extended attributes cannot be kept`,
    mayLack: true,
  },
]

t.test('whose a file is', { skip: !possible && 'needs root, setpriv, unshare, python3' }, async (t) => {
  for (const one of CASES) await t.test(one.title, (t) => tried(t, one))
})

/** What this file system does not know cannot be tried on it. */
function lacking(t: Test, why: string): void {
  t.pass('this file system can do it', { skip: why.trim() })
}

async function tried(t: Test, one: Case): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'ownership-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  chmodSync(folder, 0o755)
  const own = join(folder, 'own')
  mkdirSync(own)
  writeFileSync(join(own, 'cluster.yaml'), YAML)
  const path = join(own, 'cluster.yaml')
  const shell = (script: string) =>
    spawnSync('sh', ['-ec', script], { env: { ...env, FILE: path, FOLDER: own }, encoding: 'utf8' })
  shell(`chown -R ${USER}:${USER} $FOLDER; chmod 640 $FILE`)
  try {
    if (one.shell) {
      const { status, stderr } = shell(one.shell)
      if (status !== 0 && one.mayLack) return lacking(t, stderr)
    }
    if (one.python) {
      try {
        python(SET_ACL + one.python, path)
      } catch (error) {
        return lacking(t, String(error))
      }
    }
    const extras = python(GET_EXTRAS, path)
    const names = readdirSync(own)
    const { report, refused, ended } = JSON.parse(await one.run(own, [process.execPath, PROGRAM, path]))
    t.equal(refused, one.refused)
    t.match(report, [
      one.report ??
        (one.refused
          ? /^WARNING The cluster cannot be changed by the user/
          : /^INFO The cluster can be changed/),
    ])
    if (one.refused) t.match(report, [one.refused], 'the report says the same')
    else {
      t.strictSame(ended, ['written', 'written'])
      t.equal(readFileSync(path, 'utf8'), `${YAML}# change 1\n# change 2\n`)
      const { mode, uid, gid } = statSync(path)
      t.equal(`${(mode & 0o7777).toString(8)} ${uid}:${gid}`, one.becomes)
    }
    t.equal(python(GET_EXTRAS, path), extras)
    t.strictSame(readdirSync(own), names, 'nothing is left lying about')
  } finally {
    if (one.cleanUp) shell(one.cleanUp)
  }
}

const NONE = { own: 'none', inherited: false } as const

t.test('where changing owners is forbidden, nobody asks for what is so already', async (t) => {
  const path = join(t.testdir({ file: '' }), 'file')
  chmodSync(path, 0o640)
  const { uid, gid } = statSync(path)
  const handle = (own: { uid: number; gid: number }) => {
    const modes: number[] = []
    return {
      modes,
      stat: async () => own,
      chmod: async (mode: number) => modes.push(mode),
      chown: async () => {
        throw Object.assign(new Error('EPERM'), { code: 'EPERM' })
      },
    }
  }
  const same = handle({ uid, gid })
  await makeAlike(same as never, path, NONE)
  t.strictSame(same.modes, [0o640])
  const otherGroup = handle({ uid, gid: gid + 1 })
  await makeAlike(otherGroup as never, path, NONE)
  t.strictSame(otherGroup.modes, [0o600])
  const unknown = handle({ uid, gid })
  await makeAlike(unknown as never, path, { own: 'unknown', inherited: false })
  t.strictSame(unknown.modes, [0o600], 'the rights of the group may be those of an ACL')
  await t.rejects(makeAlike(handle({ uid: uid + 1, gid }) as never, path, NONE), {
    name: 'Irreplaceable',
    message: 'its owner cannot be kept',
  })
})
