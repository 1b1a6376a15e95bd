/**
 * The one way in which databases are opened. Compiled for Node 22.23, 24.21 and newer, better-sqlite3 12 aborts the
 * process when V8 collects one of its objects (their headers' ObjectWrap unhooks itself where there is no environment),
 * and its 13 does not run on Node 20. So nothing of it is ever collected: a process has few databases and few statements.
 * Iterators cannot be kept like that; read in bounded pieces instead.
 */
import Database from 'better-sqlite3';

const kept: object[] = [];

function keep<T extends object>(value: T): T {
  kept.push(value);
  return value;
}

/** @param source a path, or the content of a database, which is then in memory */
export function openSqlite(source: string | Buffer, options?: Database.Options): Database.Database {
  const db = keep(new Database(source, options));
  const prepare = db.prepare.bind(db);
  const pragmas = new Map<string, Database.Statement>();
  return Object.assign(db, {
    prepare: (sql: string) => keep(prepare(sql)),
    pragma(source: string, { simple = false }: Database.PragmaOptions = {}): unknown {
      let statement = pragmas.get(source);
      if (statement === undefined) {
        statement = keep(prepare(`PRAGMA ${source}`));
        pragmas.set(source, statement);
      }
      if (!statement.reader) {
        statement.run();
        return [];
      }
      return simple ? statement.pluck().get() : statement.pluck(false).all();
    },
  });
}
