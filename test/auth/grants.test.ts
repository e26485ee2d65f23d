import t from 'tap'
import { type Grants, grantedBy, parseGrants } from '../../lib/auth/grants.ts'
import { PERMISSIONS, type Permission, PUBLIC, ROLES, toChange, toRead } from '../../lib/auth/permissions.ts'

/** What options grant, and the warnings. */
function parsed(options: string) {
  const warnings: string[] = []
  const grants = parseGrants(options, (reason) => warnings.push(reason))
  return { grants, warnings }
}

const CLOSED = { isClosed: true, needsOptions: false }

const permissionsOf = (grants: Grants) =>
  grants.kind === 'permissions' ? [...grants.words.keys()].sort() : grants
const sorted = (permissions: Iterable<Permission>) => [...permissions].sort()
const without = (...taken: readonly string[]) => sorted(PERMISSIONS.filter((one) => !taken.includes(one)))

t.test('old words alone are the rights that Ganeti 3.0 knows', async (t) => {
  for (const [options, rights] of [
    ['', []],
    ['read', ['read']],
    ['write', ['write']],
    [' write , read ', ['write', 'read']],
    ['all', ['read', 'write']],
    ['comment', []],
  ] as const) {
    t.same(parsed(options).grants, { kind: 'rights', rights: new Set(rights) }, options)
  }
})

t.test('a new word makes all words mean what they mean to Ganeti 3.2, wherever they stand', async (t) => {
  for (const [options, permissions] of [
    ['@admin', sorted(PERMISSIONS)],
    ['@operator', sorted(ROLES.operator)],
    ['@readonly', sorted(ROLES.readonly)],
    ['instances.startup', ['instances.startup']],
    ['+instances.startup,instances.startup', ['instances.startup']],
    ['@readonly,+jobs.cancel', sorted([...ROLES.readonly, 'jobs.cancel'])],
    ['read,jobs.cancel', sorted([...ROLES.readonly, 'jobs.cancel'])],
    ['write,-cluster.modify', without('cluster.modify')],
    ['-jobs.cancel,all', without('jobs.cancel')],
    ['@admin,-jobs.cancel', without('jobs.cancel')],
    ['-jobs.cancel,@admin,+jobs.cancel', without('jobs.cancel')],
    ['-jobs.cancel', []],
  ] as const) {
    const { grants, warnings } = parsed(options)
    t.strictSame(permissionsOf(grants), permissions, options)
    t.same(warnings, [], options)
  }
})

t.test('a word that means nothing grants nothing, and is named with the nearest that does', async (t) => {
  for (const [options, granted, warning] of [
    ['@oprator', [], 'option "@oprator" is not known and is ignored (meant: @operator?)'],
    ['@Admin', [], 'option "@Admin" is not known and is ignored (meant: @admin?)'],
    [
      'instance.startup',
      [],
      'option "instance.startup" is not known and is ignored (meant: instances.startup?)',
    ],
    ['+jobs.cancle', [], 'option "+jobs.cancle" is not known and is ignored (meant: +jobs.cancel?)'],
    ['nodes.no.such.thing', [], 'option "nodes.no.such.thing" is not known and is ignored'],
    ['no.such.thing.at.all', [], 'option "no.such.thing.at.all" is not known and is ignored'],
    ['os.hunter2', [], 'option 1 is not known and is ignored'],
    ['instances.*', [], 'option "instances.*" means nothing: there are no wildcards'],
    ['@operator!tag=web', [], 'option 1 means nothing: there are no selectors in this version'],
    [
      '@readonly,+@admin',
      sorted(ROLES.readonly),
      'option "+@admin" means nothing: roles cannot be added or taken away',
    ],
    ['@readonly,+write', sorted(ROLES.readonly), 'option 2 means nothing: only permissions have a sign'],
  ] as const) {
    const { grants, warnings } = parsed(options)
    t.strictSame(permissionsOf(grants), granted, options)
    t.same(warnings, [warning], options)
  }
  t.same(parsed('write,s3cret').warnings, ['option 2 is not known and is ignored'])
  t.same(parsed('write,wirte'), {
    grants: { kind: 'rights', rights: new Set(['write']) },
    warnings: ['option 2 is not known and is ignored (meant: write?)'],
  })
})

t.test('what cannot be taken away takes away everything', async (t) => {
  for (const options of [
    '@admin,-@readonly',
    '@admin,-read',
    '@admin,-jobs.*',
    '@admin,-jobs.cancle',
    'write,-x',
  ]) {
    const { grants, warnings } = parsed(options)
    t.strictSame(permissionsOf(grants), [], options)
    t.match(warnings, [/; the user may do nothing, as it is unknown what to take away$/], options)
  }
})

t.test('of options with spaces, which may be part of the password, nothing is shown', async (t) => {
  for (const options of ['horse battery', 'write,horse battery', 'horse,staple pin', '@admin -x']) {
    const { grants, warnings } = parsed(options)
    t.notMatch(warnings.join(), /horse|battery|staple|pin|-x/)
    t.match(warnings.join(), /option \d contains a space and is ignored/)
    if (!options.startsWith('@')) t.equal(grants.kind, 'rights')
    else t.strictSame(permissionsOf(grants), [])
  }
})

t.test('the word that grants is known', async (t) => {
  const { grants } = parsed('@readonly,+jobs.cancel,tags.get')
  t.equal(grantedBy(grants, toRead('tags.get'), CLOSED), '@readonly')
  t.equal(grantedBy(grants, toChange('jobs.cancel'), CLOSED), '+jobs.cancel')
  t.equal(
    grantedBy(grants, { permissions: ['tags.get', 'jobs.cancel'], access: [] }, CLOSED),
    '@readonly +jobs.cancel',
  )
  t.equal(grantedBy(grants, { permissions: ['tags.get', 'jobs.wait'], access: [] }, CLOSED), undefined)
  t.equal(grantedBy(parsed('write').grants, toChange('jobs.cancel'), CLOSED), 'write')
  t.equal(grantedBy(grants, PUBLIC, CLOSED), '')
})
