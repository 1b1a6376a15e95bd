/** What one request may cost. Each limit is tested at its value and one beyond. */

/** Body of a request, as upstream limits it. */
export const bodyBytesMax = 3 * 1024 * 1024;

/** Path and query together, as sent. */
export const urlBytesMax = 16 * 1024;

/** Request line and headers together, HTTP/1.1; HTTP/2 announces the same. */
export const headerBytesMax = 64 * 1024;

export const queryParametersMax = 64;

/** A response body longer than this is written in pieces of this size, each waiting for the one before. */
export const responseChunkBytes = 256 * 1024;

/** A body longer than this is compressed where the client accepts gzip, as upstream does. */
export const gzipBytesMin = 128 * 1024;

/** Lists of more JSON than this are encoded anew each time, in bytes: about half of what is kept of all objects. */
export const encodedListBytesKept = 8 * 1024 * 1024;

/** How long a list is encoded before other work of the event loop comes first, in milliseconds. */
export const encodingMillisecondsMax = 8;

/** Bytes that one watch stream writes in one turn before the next stream has its turn. */
export const watchTurnBytesMax = 64 * 1024;

/** Events that one watch stream takes from its watcher at a time. */
export const watchTurnEventsMax = 64;

/** How long watch streams are served before other work of the event loop comes first, in milliseconds. */
export const watchTurnMillisecondsMax = 8;

/** Bytes in a web socket's buffer above which its watch waits. */
export const webSocketBufferBytesMax = 64 * 1024;

/** Serialized watch events kept for the watchers that have yet to send them. */
export const frameCacheEntriesMax = 2048;
export const frameCacheBytesMax = 16 * 1024 * 1024;

/** Seconds that a watch lasts when the client does not say: a random value between this and twice this. */
export const watchTimeoutSecondsMin = 1800;

/** Characters of all warnings of one answer, and of each once that is passed, as upstream limits them. */
export const warningCharactersMax = 4096;
export const warningCharactersEach = 256;

/** Idle time after which a kept-alive connection is closed. Go's clients close theirs after 90 s. */
export const keepAliveMilliseconds = 180_000;

/** Time for a client to send its whole request. */
export const requestTimeoutMilliseconds = 60_000;

/**
 * Memory that one HTTP/2 session may hold in unsent data, in MB. Node's default of 10 makes one stalled list fail
 * every other request of its connection; what a stream holds is bounded by `responseChunkBytes`.
 */
export const sessionMemoryMegabytes = 1000;

/** Streams that one HTTP/2 connection may have open. */
export const concurrentStreamsMax = 4096;

/** Requests slower than this are logged. */
export const slowRequestMilliseconds = 1000;

/** One in so many good requests is logged at debug level. */
export const logSampleRate = 1000;

/** Time after which a shutdown stops waiting for answers that clients do not read. */
export const shutdownMilliseconds = 800;
