const HOST =
  /^(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*(:\d{1,5})?$|^\[[0-9a-f:.]+\](:\d{1,5})?$/i;
/** Longest host name with a port. */
const MAX_HOST = 260;

/** True for `host` or `*.host`, either with `:port`. */
export const isHostRule = (text: string): boolean => text.length <= MAX_HOST && HOST.test(text);
