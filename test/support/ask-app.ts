/** Asks an application as a client would, without a connection. */
import type { App } from '../../lib/http/message.ts'
import { type Json, parseJson, stringifyJson } from '../../lib/json/json.ts'

export interface Answered {
  readonly status: number
  readonly headers: readonly string[]
  readonly json: Json
}

/** @param user whose password is `pw`; undefined for a stranger */
export async function ask(
  app: App,
  user: string | undefined,
  method: string,
  target: string,
  { body, headers = {} }: { readonly body?: Json | undefined; readonly headers?: object } = {},
): Promise<Answered> {
  const bytes = Buffer.from(body === undefined ? '' : stringifyJson(body))
  const authorization = user && `Basic ${Buffer.from(`${user}:pw`).toString('base64')}`
  const { signal } = new AbortController()
  const response = await app({
    id: 'r1',
    peer: '192.0.2.1:1',
    method,
    target,
    headers: { authorization, 'content-type': 'application/json', ...headers },
    network: '192.0.2.1',
    bodyLength: bytes.length,
    readBody: async () => bytes,
    signal,
    lost: signal,
  })
  response.release?.()
  const text = response.body.toString()
  return { status: response.status, headers: response.headers, json: text === '' ? null : parseJson(text) }
}
