/** How far a load has come: no value is in it. */
export interface Journal {
  readonly load: string;
  /** Of the file as it was when the load began. */
  readonly bytes: number;
  readonly modifiedMs: number;
  /** How the columns were read. */
  readonly options: string;
  readonly partsSent: number;
  /** Once all are sent. */
  readonly parts?: number;
}

/** Outlives the command, however it ends. */
export interface JournalFile {
  readonly path: string;
  /**
   * What an earlier run of the command left.
   *
   * @throws {TokenmeshError} `ERR_LOAD_CHANGED`, where going on would tokenize something else than what was begun;
   *   `ERR_FILE_UNREADABLE`.
   */
  find(): Promise<Journal | undefined>;
  /** Begins a load of the file as it is now. @throws {TokenmeshError} `ERR_FILE_UNREADABLE` */
  begin(load: string): Promise<Journal>;
  write(journal: Journal): Promise<void>;
  remove(): Promise<void>;
}
