/** Small server-wide values. */
export interface SettingStore {
  /** A small server-wide value (for example a key for HMACs); null when unset. */
  readSetting(params: { readonly name: string }): Promise<string | null>;
  writeSetting(params: { readonly name: string; readonly value: string }): Promise<void>;
}
