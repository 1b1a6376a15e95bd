/** The ceiling of one Node thread: Fastify over HTTPS with one route to get and one to post, and nothing behind them. */
import fastify from 'fastify';

interface Start {
  readonly port: number;
  readonly key: string;
  readonly cert: string;
}

process.once('message', (message) => {
  const { port, key, cert } = message as Start;
  void start(port, key, cert).then(() => process.send?.({}));
});

async function start(port: number, key: string, cert: string): Promise<void> {
  const answer = JSON.stringify({ kind: 'ConfigMap', data: { payload: 'x'.repeat(1024) } });
  const app = fastify({ http2: true, https: { allowHTTP1: true, key, cert } });
  app.get('/object', async (_request, reply) => reply.type('application/json').send(answer));
  app.post('/object', async (_request, reply) => reply.code(201).type('application/json').send(answer));
  await app.listen({ port, host: '127.0.0.1' });
}
