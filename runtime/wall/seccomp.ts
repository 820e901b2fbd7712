/** Instructions of the kernel's filter machine (classic BPF). */
const LOAD = 0x20;
const IF_EQUAL = 0x15;
const IF_AT_LEAST = 0x35;
const IF_ANY_BIT = 0x45;
const RETURN = 0x06;

const ALLOW = 0x7fff_0000;
const KILL = 0x8000_0000;
const REFUSE = 0x0005_0000;
const EPERM = 1;
const ENOSYS = 38;

/** Where the machine finds what is asked for: struct seccomp_data. */
const AT = { number: 0, architecture: 4, firstArgument: 16 } as const;

/** Flags of clone(2): new namespaces, and a thread of the same process. */
const NEW_NAMESPACES = 0x7e02_0000;
const THREAD = 0x0001_0000;

/**
 * What no host ever asks the kernel for, with its numbers on x64 and arm64: network, other processes, mounts, namespaces,
 * keys, kernel modules, clocks, users, shared memory between processes, and the interfaces in which most of the kernel's
 * own holes were found.
 */
const REFUSED = `
  ptrace 101 117; process_vm_readv 310 270; process_vm_writev 311 271; kcmp 312 272; pidfd_open 434 434;
  pidfd_getfd 438 438; pidfd_send_signal 424 424; process_madvise 440 440; bpf 321 280; perf_event_open 298 241;
  userfaultfd 323 282; add_key 248 217; request_key 249 218; keyctl 250 219; mount 165 40; umount2 166 39;
  pivot_root 155 41; chroot 161 51; move_mount 429 429; open_tree 428 428; fsopen 430 430; fsconfig 431 431;
  fsmount 432 432; fspick 433 433; mount_setattr 442 442; unshare 272 97; setns 308 268; io_uring_setup 425 425;
  io_uring_enter 426 426; io_uring_register 427 427; init_module 175 105; finit_module 313 273;
  delete_module 176 106; kexec_load 246 104; kexec_file_load 320 294; reboot 169 142; swapon 167 224;
  swapoff 168 225; settimeofday 164 170; clock_settime 227 112; adjtimex 159 171; clock_adjtime 305 266;
  sethostname 170 161; setdomainname 171 162; acct 163 89; quotactl 179 60; iopl 172 -; ioperm 173 -;
  personality 135 92; open_by_handle_at 304 265; name_to_handle_at 303 264; lookup_dcookie 212 18;
  syslog 103 116; vhangup 153 58; socket 41 198; connect 42 203; bind 49 200; listen 50 201; accept 43 202;
  accept4 288 242; sendto 44 206; sendmmsg 307 269; memfd_secret 447 447; mbind 237 235; migrate_pages 256 238;
  move_pages 279 239; set_mempolicy 238 237; ioprio_set 251 30; fanotify_init 300 262; fanotify_mark 301 263;
  modify_ldt 154 -; uselib 134 -; ustat 136 -; sysfs 139 -; fork 57 -; vfork 58 -; mknod 133 -; mknodat 259 33;
  link 86 -; linkat 265 37; symlink 88 -; symlinkat 266 36; setuid 105 146; setgid 106 144; setreuid 113 145;
  setregid 114 143; setresuid 117 147; setresgid 119 149; setgroups 116 159; setfsuid 122 151; setfsgid 123 152;
  capset 126 91; shmget 29 194; shmat 30 196; shmctl 31 195; shmdt 67 197; semget 64 190; semop 65 193;
  semctl 66 191; semtimedop 220 192; msgget 68 186; msgsnd 69 189; msgrcv 70 188; msgctl 71 187; mq_open 240 180;
  mq_unlink 241 181; mq_timedsend 242 182; mq_timedreceive 243 183; mq_notify 244 184; mq_getsetattr 245 185`;

/** An architecture's own numbers. */
interface Calls {
  readonly architecture: number;
  readonly clone: number;
  readonly clone3: number;
  /** Calls from here on are those of another convention (x32); null = there are none. */
  readonly foreign: number | null;
  readonly refused: readonly number[];
}

/** The numbers in one column of the table. */
const refusedIn = (column: 1 | 2): readonly number[] =>
  REFUSED.split(";")
    .map((row) => row.trim().split(" ")[column] ?? "-")
    .filter((number) => number !== "-")
    .map(Number);

const CALLS: Readonly<Partial<Record<string, Calls>>> = {
  x64: { architecture: 0xc000_003e, clone: 56, clone3: 435, foreign: 0x4000_0000, refused: refusedIn(1) },
  arm64: { architecture: 0xc000_00b7, clone: 220, clone3: 435, foreign: null, refused: refusedIn(2) },
};

type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, value: number];

const load = (at: number): Instruction => [LOAD, 0, 0, at];
const answer = (what: number): Instruction => [RETURN, 0, 0, what];
/** Answers `what` when the test holds, else goes on. */
const when = (test: number, value: number, what: number): readonly Instruction[] => [[test, 0, 1, value], answer(what)];

/** clone(2) makes threads and nothing else: no process, no namespace. */
const threadsOnly = (clone: number): readonly Instruction[] => [
  [IF_EQUAL, 0, 6, clone],
  load(AT.firstArgument),
  ...when(IF_ANY_BIT, NEW_NAMESPACES, REFUSE | EPERM),
  [IF_ANY_BIT, 1, 0, THREAD],
  answer(REFUSE | EPERM),
  answer(ALLOW),
];

/**
 * The filter of system calls for a host process on this architecture, as the kernel takes it; null where there is none.
 * Its flags are in memory that clone3(2) only points to, so that call "does not exist" and libraries use clone(2).
 */
export function seccompFilter(architecture: string): Buffer | null {
  const calls = CALLS[architecture];
  if (calls === undefined) return null;
  const program: readonly Instruction[] = [
    load(AT.architecture),
    [IF_EQUAL, 1, 0, calls.architecture],
    answer(KILL),
    load(AT.number),
    ...(calls.foreign === null ? [] : when(IF_AT_LEAST, calls.foreign, KILL)),
    ...when(IF_EQUAL, calls.clone3, REFUSE | ENOSYS),
    ...calls.refused.flatMap((call) => when(IF_EQUAL, call, REFUSE | EPERM)),
    ...threadsOnly(calls.clone),
    answer(ALLOW),
  ];
  const bytes = Buffer.alloc(program.length * 8);
  for (const [i, [code, ifTrue, ifFalse, value]] of program.entries()) {
    bytes.writeUInt16LE(code, i * 8);
    bytes.writeUInt8(ifTrue, i * 8 + 2);
    bytes.writeUInt8(ifFalse, i * 8 + 3);
    bytes.writeUInt32LE(value >>> 0, i * 8 + 4);
  }
  return bytes;
}
