/**
 * The permissions of Ganeti 3.2, and the roles that stand for several of them
 * (lib/rapi/__init__.py). Each method of a resource needs one.
 */
import type { Right } from './rights.ts'

/** What a user may be allowed to do. */
export const PERMISSIONS = [
  'cluster.info',
  'cluster.modify',
  'cluster.redistribute_config',
  'filter.list',
  'filter.query',
  'filter.create',
  'filter.modify',
  'filter.remove',
  'groups.list',
  'groups.query',
  'groups.create',
  'groups.modify',
  'groups.rename',
  'groups.delete',
  'groups.assign_nodes',
  'instances.list',
  'instances.query',
  'instances.query.console',
  'instances.info',
  'instances.create',
  'instances.multi_alloc',
  'instances.modify',
  'instances.rename',
  'instances.remove',
  'instances.startup',
  'instances.shutdown',
  'instances.reboot',
  'instances.reinstall',
  'instances.migrate',
  'instances.failover',
  'instances.grow_disk',
  'instances.replace_disks',
  'instances.recreate_disks',
  'instances.activate_disks',
  'instances.deactivate_disks',
  'instances.export.prepare',
  'instances.export.create',
  'instances.export.remove',
  'jobs.list',
  'jobs.query',
  'jobs.wait',
  'jobs.cancel',
  'networks.list',
  'networks.query',
  'networks.create',
  'networks.modify',
  'networks.rename',
  'networks.remove',
  'networks.connect',
  'networks.disconnect',
  'nodes.list',
  'nodes.query',
  'nodes.modify',
  'nodes.powercycle',
  'nodes.evacuate',
  'nodes.migrate',
  'nodes.role.query',
  'nodes.role.modify',
  'nodes.storage.query',
  'nodes.storage.modify',
  'nodes.storage.repair',
  'os.list',
  'query.all',
  'tags.get',
  'tags.set',
  'tags.delete',
] as const
export type Permission = (typeof PERMISSIONS)[number]

const READONLY: readonly Permission[] = [
  'cluster.info',
  'filter.list',
  'filter.query',
  'groups.list',
  'groups.query',
  'instances.list',
  'instances.query',
  'instances.info',
  'jobs.list',
  'jobs.query',
  'networks.list',
  'networks.query',
  'nodes.list',
  'nodes.query',
  'nodes.role.query',
  'os.list',
  'query.all',
  'tags.get',
]

/** What a role stands for; in the users file its name has an at sign before it. */
export const ROLES = {
  admin: PERMISSIONS,
  operator: [
    ...READONLY,
    'instances.query.console',
    'instances.startup',
    'instances.shutdown',
    'instances.reboot',
    'instances.migrate',
    'instances.failover',
    'instances.replace_disks',
    'instances.export.prepare',
    'instances.export.create',
    'instances.export.remove',
  ],
  readonly: READONLY,
} as const satisfies { readonly [role: string]: readonly Permission[] }
export type Role = keyof typeof ROLES

/** Permissions about the cluster as a whole, which no word with a selector grants. */
export const WHOLE_CLUSTER: ReadonlySet<Permission> = new Set(
  PERMISSIONS.filter((name) => /^(cluster|filter|groups|networks)\./.test(name) && name !== 'cluster.info'),
)
/** Permissions to read what is the same for everybody; a selector does not limit them. */
export const SAME_FOR_ALL: ReadonlySet<Permission> = new Set(['cluster.info', 'os.list'])

/** What a request needs, by the rules of either generation of Ganeti. */
export interface Need {
  /** The permissions that Ganeti 3.2 wants, all of them; none for what is public even there. */
  readonly permissions: readonly Permission[]
  /** The rights of which Ganeti 3.0 wants any one; an empty list means open to everyone. */
  readonly access: readonly Right[]
}

/** What needs nothing. */
export const PUBLIC: Need = { permissions: [], access: [] }

/** What a read needs that is open to strangers, unless reads are closed to them. */
export function toRead(permission: Permission): Need {
  return { permissions: [permission], access: [] }
}

/** What a change needs, and a read that only those may do who may change something. */
export function toChange(permission: Permission): Need {
  return { permissions: [permission], access: ['write'] }
}
