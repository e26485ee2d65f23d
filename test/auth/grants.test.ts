import t from 'tap'
import { allSelectors, type Grants, grantedBy, parseGrants, seenBy } from '../../lib/auth/grants.ts'
import {
  type Need,
  PERMISSIONS,
  type Permission,
  PUBLIC,
  ROLES,
  toChange,
  toRead,
} from '../../lib/auth/permissions.ts'

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
    ['@oprator!tag=web', [], 'option "@oprator!tag=web" is not known and is ignored (meant: @operator?)'],
    [
      '@operator!disk=web',
      [],
      'option "@operator!disk=web" is ignored: a selector is one of tag, instance, node, group',
    ],
    ['@operator!', [], 'option 1 is ignored: a selector is one of tag, instance, node, group'],
    ['@operator!tag=', [], 'option "@operator!tag=" is ignored: the selector has no value, as in tag=NAME'],
    [
      '@operator!tag=a!b',
      [],
      'option 1 is ignored: the value of the selector has characters that no tag and no name has',
    ],
    ['write!tag=web', [], 'option 1 means nothing: only roles and permissions have a selector'],
    [
      'groups.list!tag=web',
      [],
      'option "groups.list!tag=web" grants nothing: it is about the whole cluster, and takes no selector',
    ],
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
    '@admin,-jobs.cancel!tag=web',
    '@admin,-!tag=web',
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
  const by = (need: Need, of = grants) => grantedBy(of, need, CLOSED)?.by
  t.equal(by(toRead('tags.get')), '@readonly')
  t.equal(by(toChange('jobs.cancel')), '+jobs.cancel')
  t.equal(by({ permissions: ['tags.get', 'jobs.cancel'], access: [] }), '@readonly +jobs.cancel')
  t.equal(by({ permissions: ['tags.get', 'jobs.wait'], access: [] }), undefined)
  t.equal(by(toChange('jobs.cancel'), parsed('write').grants), 'write')
  t.equal(by(PUBLIC), '')
})

t.test('words with selectors grant for what these select, unless another grants it for all', async (t) => {
  const { grants, warnings } = parsed(
    '@operator!tag=team:web,+instances.remove!instance=Web*,tags.get!group=g,tags.get,@readonly!node=n1',
  )
  t.same(warnings, [])
  const tag = { kind: 'tag', value: 'team:web' } as const
  const instance = { kind: 'instance', value: 'web*' } as const
  const node = { kind: 'node', value: 'n1' } as const
  const granted = (need: Need) => grantedBy(grants, need, CLOSED)
  t.strictSame(granted(toChange('instances.startup')), { by: '@operator!tag=team:web', within: [[tag]] })
  t.strictSame(granted(toRead('instances.list')), {
    by: '@operator!tag=team:web @readonly!node=n1',
    within: [[tag, node]],
  })
  t.strictSame(granted({ permissions: ['instances.remove', 'instances.reboot', 'tags.get'], access: [] }), {
    by: '+instances.remove!instance=Web* @operator!tag=team:web tags.get',
    within: [[instance], [tag]],
  })
  t.strictSame(granted(toRead('tags.get')), { by: 'tags.get', within: [] })
  // It is the same for everybody.
  t.strictSame(granted(toRead('cluster.info'))?.within, [])
  t.equal(granted(toRead('groups.list')), undefined, 'about the whole cluster')
  t.strictSame(allSelectors(grants).length, 4)

  t.strictSame(seenBy(grants, 'instance', true), [tag, node, tag, node])
  t.strictSame(seenBy(parsed('instances.startup!tag=x').grants, 'instance', true), undefined)
  t.strictSame(seenBy(parsed('instances.startup!tag=x').grants, 'instance', false), [])
  t.strictSame(seenBy(parsed('instances.startup!tag=x,instances.query').grants, 'instance', false), undefined)
})

t.test('permissions are granted with selectors, but for those about the whole cluster', async (t) => {
  for (const permission of PERMISSIONS) {
    const isWhole = /^(cluster\.(modify|redist)|filter|groups|networks)/.test(permission)
    const { grants, warnings } = parsed(`${permission}!tag=x`)
    t.strictSame(permissionsOf(grants), isWhole ? [] : [permission])
    t.equal(warnings.length, isWhole ? 1 : 0)
    t.equal(permissionsOf(parsed('@admin!tag=x').grants).toString().split(',').includes(permission), !isWhole)
  }
})
