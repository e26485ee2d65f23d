/** Errors that a real Ganeti answered with, beside the description: what they look like, and when they come. */
import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { createRouter, pathOf } from '../../lib/http/router.ts'
import { type Json, type JsonObject, parseJson } from '../../lib/json/json.ts'
import { describeApi } from '../../lib/openapi/describe-api.ts'
import { errorSchema } from '../../lib/openapi/failures.ts'
import { resources } from '../../lib/resources/table.ts'
import { fixture } from '../support/daemon-root.ts'
import { realAnswers } from '../support/real-cluster.ts'
import { schemaValidator } from '../support/schema.ts'

interface Answered {
  readonly name: string
  readonly method: string
  readonly target: string
  readonly status: number
  readonly body: Json
}

const route = createRouter(resources)
const isError = schemaValidator().compile(errorSchema)
const paths = (await describeApi(resources)).paths as never as {
  readonly [path: string]: { readonly [method: string]: { readonly responses: JsonObject } }
}

/** Odd requests, byte for byte, and their answers. */
const odd = readdirSync(fixture('captures/errors'))
  .filter((file) => file.endsWith('.http'))
  .flatMap((file): Answered[] => {
    const name = file.replace(/\.http$/, '')
    const request = readFileSync(fixture(`captures/errors/${name}.req`), 'latin1')
    const answer = readFileSync(fixture(`captures/errors/${file}`), 'latin1')
    const [, method = '', target = ''] = /^(\S+) (\S+) HTTP/.exec(request) ?? []
    const [, status = '', body = ''] = /^HTTP\S* (\d+)[\s\S]*?\r?\n\r?\n([\s\S]*)/.exec(answer) ?? []
    return Number(status) < 400 || method === 'HEAD'
      ? []
      : [{ name, method, target, status: Number(status), body: parseJson(body) }]
  })

const plain = Object.entries(realAnswers).map(
  ([target, answer]): Answered => ({ name: target, method: 'GET', target, ...answer }),
)

t.test('every error has the form that is described', async (t) => {
  const errors = [...odd, ...plain].filter(({ status }) => status >= 400)
  t.ok(errors.length > 200, `${errors.length} errors`)
  for (const { name, body } of errors) t.ok(isError(body), name)
})

/** What HTTP itself refuses, whatever the method. */
const UNDESCRIBED = new Set([405, 408, 411, 414, 431, 505])

/** The original takes the next request for a body. */
const MISTAKEN = 'http11-pipelined'

t.test('a method says which errors it has', async (t) => {
  let compared = 0
  for (const { name, method, target, status } of [...odd, ...plain]) {
    const path = route(pathOf(target))?.resource.path
    const operation = path === undefined ? undefined : paths[path]?.[method.toLowerCase()]
    if (!operation || status < 400 || UNDESCRIBED.has(status) || name === MISTAKEN) continue
    compared++
    t.ok(status in operation.responses, `${name}: ${method} ${target} ${status}`)
  }
  t.ok(compared > 100, `${compared} errors compared`)
})
