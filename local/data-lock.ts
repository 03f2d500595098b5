// A data directory belongs to one process at a time. The system gives the lock up when that ends, however it ends.

import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** SQLite's file locks are the only ones that Node.js brings; nothing is written into the database. */
const fileName = 'lock.sqlite';

/** @throws Error where another process has the directory, or nothing can be locked in it */
export function lockDirectory(directory: string): { close(): Promise<void> } {
  const database = new DatabaseSync(join(directory, fileName));
  try {
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    throw new Error(`${directory} is in use by another npm start: set LOCAL_DATA to another directory.`, {
      cause: error,
    });
  }
  return { close: async () => database.close() };
}
