/** File in the data directory that holds the id of a hold: whoever sees it is on the right machine and in the right directory. */
export const HOLD_FILE = "backup.hold";
