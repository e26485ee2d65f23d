/** What may be done with an instance: each action with the permission, the request and the options that it has. */
import type { InstanceDetails } from './model.ts'
import type { IconName } from './parts/icon.ts'

export interface Option {
  readonly name: string
  readonly words: string
  /** Whether it goes into the query string. */
  readonly isQuery?: true
  readonly kind: 'flag' | 'number' | 'choice' | 'node'
  readonly choices?: readonly (readonly [value: string, words: string])[]
  /** Whether it can be given for an instance; always, unless given. */
  readonly isFor?: (instance: InstanceDetails) => boolean
}

export interface Action {
  readonly title: string
  readonly icon: IconName
  readonly permission: string
  readonly method: 'PUT' | 'POST'
  /** What is added to the path of the instance. */
  readonly path: string
  readonly isOffered: (instance: InstanceDetails) => boolean
  readonly options: readonly Option[]
}

const isUp = ({ status }: InstanceDetails) =>
  status === 'running' || status === 'ERROR_up' || status === 'ERROR_wrongnode'
/** Disks on one node and its mirror; all others can be used wherever they are, or on one node alone. */
const isMirrored = ({ snodes }: InstanceDetails) => snodes.length > 0
const ON_ONE_NODE: ReadonlySet<string> = new Set(['plain', 'file'])
const canMove = (instance: InstanceDetails) =>
  isMirrored(instance) || !ON_ONE_NODE.has(instance.disk_template)
const target: Option = {
  name: 'target_node',
  words: 'To the node',
  kind: 'node',
  isFor: (instance) => !isMirrored(instance),
}

export const ACTIONS: readonly Action[] = [
  {
    title: 'Start',
    icon: 'start',
    permission: 'instances.startup',
    method: 'PUT',
    path: '/startup',
    isOffered: (instance) => !isUp(instance) && instance.admin_state !== 'offline',
    options: [
      { name: 'force', words: 'Even if a disk cannot be used everywhere', isQuery: true, kind: 'flag' },
    ],
  },
  {
    title: 'Stop',
    icon: 'stop',
    permission: 'instances.shutdown',
    method: 'PUT',
    path: '/shutdown',
    isOffered: isUp,
    options: [
      { name: 'timeout', words: 'Seconds until it is switched off', kind: 'number' },
      {
        name: 'no_remember',
        words: 'It should be up again after a restart of its node',
        isQuery: true,
        kind: 'flag',
      },
    ],
  },
  {
    title: 'Reboot',
    icon: 'reboot',
    permission: 'instances.reboot',
    method: 'POST',
    path: '/reboot',
    isOffered: isUp,
    options: [
      {
        name: 'type',
        words: 'How',
        isQuery: true,
        kind: 'choice',
        choices: [
          ['hard', 'Hard: stop and start it, as it is'],
          ['soft', 'Soft: the guest restarts itself'],
          ['full', 'Full: shut down, and start with new parameters'],
        ],
      },
    ],
  },
  {
    title: 'Migrate',
    icon: 'move',
    permission: 'instances.migrate',
    method: 'PUT',
    path: '/migrate',
    isOffered: (instance) => isUp(instance) && canMove(instance),
    options: [
      {
        name: 'mode',
        words: 'How',
        kind: 'choice',
        choices: [
          ['', 'As its hypervisor is set up'],
          ['live', 'While it runs'],
          ['non-live', 'With a short stop'],
        ],
      },
      target,
      { name: 'allow_failover', words: 'Fail over if it cannot be migrated', kind: 'flag' },
      { name: 'cleanup', words: 'Clean up after a migration that went wrong', kind: 'flag' },
    ],
  },
  {
    title: 'Fail over',
    icon: 'move',
    permission: 'instances.failover',
    method: 'PUT',
    path: '/failover',
    isOffered: canMove,
    options: [target, { name: 'ignore_consistency', words: 'Even if its disks differ', kind: 'flag' }],
  },
]
