/**
 * Servers of the same bytes to stand beside: a bare Node server, and nginx.
 * Each serves one answer at a time, whatever is asked of it, over plain HTTP
 * and TLS.
 */
import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { freePort } from '../support/free-port.ts'
import type { BareAnswer, BarePorts } from './bare-server.ts'

/** An answer as it went over the wire. */
export interface Sent {
  readonly status: number
  /** Names and values by turns. */
  readonly headers: readonly string[]
  readonly body: Buffer
}

export interface Opponent {
  readonly plain: string
  readonly tls: string
  serve(answer: Sent): Promise<void>
  stop(): Promise<void>
}

/** The limit of the platform. */
export async function bareNode(folder: string, pem: string): Promise<Opponent> {
  const child = fork(fileURLToPath(new URL('./bare-server.js', import.meta.url)), [pem])
  const [ports] = (await once(child, 'message')) as [BarePorts]
  const file = join(folder, 'bare-body')
  return {
    plain: `http://127.0.0.1:${ports.plain}`,
    tls: `https://127.0.0.1:${ports.tls}`,
    async serve({ status, headers, body }) {
      writeFileSync(file, body)
      const taken = once(child, 'message')
      child.send({ status, headers: withoutConnection(headers), file } satisfies BareAnswer)
      await taken
    },
    stop: () => ended(child),
  }
}

/** The limit of the machine: one nginx worker that sends a file. */
export async function nginx(folder: string, pem: string): Promise<Opponent> {
  const home = join(folder, 'nginx')
  const root = join(home, 'root')
  mkdirSync(root, { recursive: true })
  const [plain, tls] = [await freePort(), await freePort()]
  // No log, and more requests per connection than anyone makes: it is to be as fast as it can.
  const config = `
    ${process.getuid?.() === 0 ? 'user root;' : ''}
    worker_processes 1;
    daemon off;
    pid ${home}/pid;
    events { worker_connections 1024; }
    http {
      access_log off;
      sendfile on;
      tcp_nopush on;
      keepalive_requests 100000000;
      default_type application/json;
      gzip_static on;
      ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${home}/${kind};`).join(' ')}
      server {
        listen 127.0.0.1:${plain} backlog=1024;
        listen 127.0.0.1:${tls} ssl backlog=1024;
        ssl_certificate ${pem};
        ssl_certificate_key ${pem};
        root ${root};
        location / { try_files /body =404; }
      }
    }`
  writeFileSync(join(home, 'nginx.conf'), config)
  const child = spawn('nginx', ['-p', home, '-c', join(home, 'nginx.conf'), '-e', join(home, 'errors')], {
    stdio: 'inherit',
  })
  for (;;) {
    if (child.exitCode !== null) throw new Error('nginx did not start')
    const there = await new Promise((resolve) => {
      get({ port: plain, agent: false }, (response) => resolve(response.resume())).on('error', () =>
        resolve(null),
      )
    })
    if (there) break
    await delay(50)
  }
  return {
    plain: `http://127.0.0.1:${plain}`,
    tls: `https://127.0.0.1:${tls}`,
    async serve({ headers, body }) {
      // It looks for the compressed form beside the plain one.
      const name = headers.some((header) => header.toLowerCase() === 'content-encoding') ? 'body.gz' : 'body'
      for (const each of new Set(['body', name])) {
        writeFileSync(join(home, 'new'), body)
        renameSync(join(home, 'new'), join(root, each))
      }
    },
    stop: () => ended(child),
  }
}

/** The tag that nginx gives the file it serves. */
export async function tagAt(origin: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(origin, (response) => resolve(response.resume().headers.etag ?? '')).on('error', reject)
  })
}

async function ended(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit')
  child.kill('SIGTERM')
  await exit
}

/** Node says this, and Date, by itself. */
function withoutConnection(headers: readonly string[]): string[] {
  const kept: string[] = []
  for (let at = 0; at < headers.length; at += 2) {
    const [name = '', value = ''] = headers.slice(at, at + 2)
    if (!/^(connection|keep-alive|date)$/i.test(name)) kept.push(name, value)
  }
  return kept
}
