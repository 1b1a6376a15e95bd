/** What the disk allows: single-row transactions in SQLite, each synced before the next begins, in a process of its own. */
import { join } from 'node:path';
import Database from 'better-sqlite3';

interface Request {
  readonly folder: string;
  readonly seconds: number;
}

process.once('message', (message) => {
  const { folder, seconds } = message as Request;
  const database = new Database(join(folder, 'durable.db'));
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');
  database.exec('CREATE TABLE entry (id INTEGER PRIMARY KEY, payload BLOB)');
  const insert = database.prepare('INSERT INTO entry (payload) VALUES (?)');
  const payload = Buffer.alloc(1100, 1);
  let commits = 0;
  const until = performance.now() + seconds * 1000;
  while (performance.now() < until) {
    insert.run(payload);
    commits++;
  }
  database.close();
  process.send?.({ rate: commits / seconds });
});
