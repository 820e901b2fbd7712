/** Small server-wide values. */
export interface SettingStore {
  /** A small server-wide value (for example a key for HMACs); null when unset. */
  readSetting(params: { readonly name: string }): Promise<string | null>;
  /** While true, nothing is moved from the log into the database's file, so that both can be copied; the log grows meanwhile. */
  holdFile(isHeld: boolean): void;
  writeSetting(params: { readonly name: string; readonly value: string }): Promise<void>;
}
