/**
 * Every limit of the product, in one table. A number here is a promise: what lies beyond it is refused with a typed
 * error at the edge, so that no queue, buffer or history inside can grow without end.
 */
export const BOUNDS = {
  /** Task calls handed over in one call: beyond this a caller should batch. */
  tasksPerCall: 10_000,
  tasksPerWorkflow: 100_000,
  /** Tasks standing in line in one memory store: about 600 MB of heap. */
  waitingInMemory: 1_000_000,
  /** Claims one task may make: one turn tests them all, so they bound a turn. */
  claimsPerTask: 64,
  /** Path segments below the root: each is one look-up in a conflict test. */
  pathDepth: 32,
  /** Bytes of an id or a resource name. */
  idBytes: 512,
  /** Capacities, pools and rates one workflow or file may declare: each is a counter of the store. */
  declaredResources: 1_000,
  /** Declarations of one resource that are remembered: beyond, the most generous is forgotten. */
  declarationsPerResource: 256,
  /** Members of one pool: each is an index in a row. */
  poolMembers: 10_000,
  /** Units of one capacity or burst of one rate: sums of 64 claims stay exact. */
  units: 1_000_000_000,
  contextBytes: 1024 * 1024,
  contextDepth: 64,
  /** Levels of task-starts-task and exec-in-exec. */
  nestedSpawn: 4,
  /** Output kept in a result; the rest is spilled to a file. */
  outputBytesPerTask: 64 * 1024,
  /** Characters of a message or cause in a task's error: it is shown, stored and sent. */
  errorMessageChars: 2_048,
  /** Bytes of the file that output beyond the kept part goes to. */
  spillBytes: 64 * 1024 * 1024,
  /** Pieces of evidence of one result, and characters of each. */
  evidencePerTask: 1_000,
  evidenceChars: 4_096,
  /** Calls that wait for a thread of one agent. */
  queuedPerThreadAgent: 100_000,
  /** Calls handed to one thread ahead of time, so that it never waits for the next. */
  pipelinedPerThread: 128,
  /** Processes looked at as one task's tree: a fork bomb is ended, not listed. */
  processesPerTree: 100_000,
  /** Dead owners remembered for what could not be ended: beyond, each is swept in full again. */
  stuckOwners: 1_000,
  /** Attempts at one task. */
  attemptsPerTask: 1_000,
  /** Waits for an overloaded provider one task may make without spending an attempt: then it fails. */
  overloadWaitsPerTask: 1_000,
  /** Callbacks one manager calls on progress. */
  progressCallbacks: 1_000,
  /** Dependencies named by one task. */
  dependenciesPerTask: 1_000,
  /** Events buffered for one slow reader; older ones are dropped and counted. */
  eventsPerReader: 10_000,
  /** Finished tasks remembered by a manager for status and metrics. */
  finishedHistory: 1_000,
  /** Rows listed by a status; the rest is counted. */
  statusRows: 100,
  /** Agents whose figures are kept apart; the rest is summed under "(other)". */
  agentMetrics: 1_000,
  /** Resources whose contention is kept apart. */
  contendedResources: 1_000,
  /** Resolved paths and directories remembered with their case rule; cleared when full, so only time is lost. */
  pathCache: 10_000,
  /** Waiting tasks a contention monitor keeps an eye on; later ones go unnoticed, nothing else. */
  watchedWaits: 10_000,
  /** Subjects of which a contention monitor remembers that it spoke: beyond, it may repeat itself. */
  noticedSubjects: 1_000,
  /** Bytes of a plan or configuration file: parsing takes about a second a MiB, so more is refused unread. */
  planBytes: 4 * 1024 * 1024,
  /** Tokens of such a file: some 15,000 tasks; more would take longer than anybody waits. */
  planTokens: 500_000,
  /** Collections inside one another in a plan or configuration file (context of depth 64 included). */
  planDepth: 100,
  /** Values that the aliases of a plan or configuration file may add: what a YAML bomb multiplies. */
  aliasedValues: 10_000,
  /** Faults listed for one input; the rest is counted. */
  faultsPerInput: 1_000,
  /** Items one `forEach` may expand to, and how many one from a result may when its plan does not say. */
  forEachItems: 10_000,
  deferredItems: 1_000,
  /** Bytes of one message of an ACP agent: it may carry a whole file. A longer one is not read. */
  acpLineBytes: 32 * 1024 * 1024,
  /** Bytes an ACP agent may leave unread before its attempt fails: it asks and never reads the answers. */
  acpUnreadBytes: 32 * 1024 * 1024,
  /** Requests an ACP agent may leave open at once. */
  acpOpenRequests: 100,
  /** Tool calls of an ACP agent that are open, and items looked at in one list of a message. */
  acpItems: 1_000,
  /** Files one task may lock one by one in its middle; who needs more claims their directory. */
  acpHeldPaths: 1_000,
  /** Bytes of one event of a coding agent: it may carry a picture. A longer one is not read. */
  codingLineBytes: 32 * 1024 * 1024,
  /** Tools of one attempt that are named as refused. */
  deniedTools: 100,
  /** Characters of a shell command that a hook reads: a longer one is left alone. */
  shellChars: 100_000,
  /** Bytes of a glob, and wildcards in one of its segments: matching costs a power of them. */
  globBytes: 256,
  globWildcards: 4,
  /** Files and directories looked at for what one task observes: a moment at its start, and one at its end. */
  observedEntries: 10_000,
  /** Paths a result names as touched, and writers remembered by whoever observes; more is counted. */
  touchedPaths: 100,
  /** Bytes git may print for one command: some 500,000 names of files. More is a failure, not a guess. */
  gitOutputBytes: 64 * 1024 * 1024,
  /** Files and directories looked at for the globs of one plan. */
  filesWalked: 1_000_000,
  /** Plan tasks whose reachability is kept as bits (n² / 8 bytes: 12.5 MB); larger plans count collisions without it. */
  reachabilityTasks: 10_000,
  /** Bytes of one answer to a host: hosts cut longer ones, each in its own way. */
  mcpAnswerBytes: 7_800,
  /** Bytes of one message of a host: contexts of 1,000 tasks fit, a flood does not. */
  mcpMessageBytes: 8 * 1024 * 1024,
  /** Bytes of the head of an HTTP request; milliseconds for its head and for all of it; connections at once. */
  httpHeaderBytes: 16 * 1024,
  httpHeadersMs: 5_000,
  httpRequestMs: 20_000,
  httpConnections: 256,
  /** Locks one host may hold at once by asking for them one after another. */
  locksPerHost: 256,
  /** Tasks of one server remembered for wait_tasks, and calls for a host that repeats one; the store remembers more. */
  mcpTasks: 10_000,
  mcpCalls: 1_000,
  /** Turns a shared store remembers for people: at most 64 effects each, so at most some 100 MB. */
  journalTurns: 20_000,
  /** Bytes of a file whose content is hashed at an edit: some 30 ms; a longer one is known by its size and time. */
  hashedBytes: 32 * 1024 * 1024,
  /** Lines of a file that are remembered one by one, four bytes each. */
  hashedLines: 20_000,
} as const;

/** The admission rule's numbers (see turn.ts). */
export const ADMISSION = {
  /** Tests of waiters one release pays for; what is left is carried to the next turn. */
  testsPerRelease: 64,
  /** Passes a waiter suffers before it reserves. */
  passesBeforeReservation: 16,
  /** Reservations that may stand at once. */
  reservations: 4,
  /** Commands of one turn: a bigger batch is split, so that nobody waits for it. */
  commandsPerTurn: 64,
  /** An admitted task must be confirmed by its owner within this, else it is back in line at its rank. */
  startTimeoutMs: 10_000,
  /** A place in line outlives its waiter by this. */
  placeKeptMs: 180_000,
  /** Rank of a request made from inside a holder: before every waiter. */
  nestedRank: -1e15,
} as const;

const DAY_MS = 86_400_000;

/** What a shared store keeps of what is over, and how little it forgets at a time. */
export const RETENTION = {
  ageMs: 14 * DAY_MS,
  bytes: 200_000_000,
  /** What tasks were told: description and context. */
  promptsMs: 7 * DAY_MS,
  /** However full the store is, what ended within this is kept: somebody may be about to read it. */
  leastMs: 60_000,
  /** One step costs a turn a few milliseconds at most. */
  rowsPerStep: 64,
  bytesPerStep: 4 * 1024 * 1024,
  pagesPerStep: 128,
  /** Free pages left in the file for what comes next: 1 MB. */
  freePages: 256,
  /** Milliseconds between two steps of one process while there is something to forget, and after there was nothing. */
  stepMs: 25,
  restMs: 60_000,
} as const;

/** What is taken for a secret in output (process/redact.ts). */
export const REDACTION = {
  /** Shorter values are words: taking them out would eat the text. */
  leastSecret: 8,
  /** Held back while it may still become a key: a private key of 8,192 bits is about 6,400 characters. */
  heldBytes: 16 * 1024,
} as const;

/** What the edge finds out about what was granted (see put-back.ts). */
export const EDGE = {
  /** A pool member that something else uses is tried again after this. */
  memberOutMs: 5_000,
  /** Times a task may be put back in a row because its paths lead elsewhere: then somebody changes them on purpose. */
  movesInARow: 64,
  /** Times the pace of an overloaded provider is halved at most, and the quiet time after which it is doubled again. */
  maxStrain: 6,
  recoveryMs: 30_000,
} as const;

/** Hooks of AI hosts: how long they may keep a host waiting, and how long what they took is kept. */
export const HOOKS = {
  /** An edit that would wait longer is refused: the model does another part meanwhile. */
  editWaitMs: 20_000,
  /** A command in line waits below what hosts allow a hook (ten minutes). */
  shellWaitMs: 540_000,
  /** Longest that hosts let a shell command run (ten minutes), and the time in which its user may be asked. */
  shellRunMs: 900_000,
  /** Whatever else a hook does ends within this, or the host goes on without it. */
  answerMs: 10_000,
  /** A file is held until its session has left it alone this long. */
  idleHoldMs: 90_000,
  /** With `hold: turn`, when the end of the turn is never told. */
  turnHoldMs: 3_600_000,
  /** A session that was not seen so long is forgotten, with what it saw. */
  sessionKeptMs: 2 * DAY_MS,
  /** Sessions looked at for one answer, files of a turn looked at for one report, and files named in one sentence. */
  sessions: 200,
  reportedFiles: 500,
  /** Written files of a worktree that a guard of git looks at: the last ones. */
  guardedFiles: 1_000,
  namedFiles: 5,
  /** Bytes of a payload: a whole file may be in it. */
  payloadBytes: 64 * 1024 * 1024,
} as const;

/** Owners' leases. */
export const LEASE = { beatMs: 1_000, timeToLiveMs: 10_000 } as const;

/** Times a user may set: `setTimeout` wraps to zero above 2^31 - 1. */
export const MAX_TIMER_MS = 2_147_483_647;

export const DEFAULTS = {
  maxConcurrentTasks: 10,
  waitForAllTimeoutMs: 300_000,
  graceMs: 5_000,
  /** After the grace: for killing a process tree to a fixpoint and proving it dead, before its locks are quarantined. */
  proofMs: 10_000,
  /** A task nothing is known of: long enough that a chain of such tasks counts as a chain. */
  predictedMs: 60_000,
  /** Without a word a coding agent is given up: as long as a slow build it may have started. */
  codingIdleTimeoutMs: 30 * 60_000,
  retryBaseMs: 1_000,
  retryMaxMs: 60_000,
} as const;
