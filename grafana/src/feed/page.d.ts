/** The stream's client of the receiver's page, as the data source uses it. */
declare module '@page/stream-client.js' {
  export interface Status {
    state: 'connecting' | 'live' | 'waiting' | 'silent' | 'unauthorized' | 'stopped';
    /** ms of the clock handed in. */
    retryAt: number | null;
    attempt: number;
  }
  export interface StreamClientOptions {
    url: string;
    base?: string;
    /** Asked before every connect; where it rejects, that connect is given up and another waited for. */
    ticket?: () => Promise<string | null>;
    WebSocketClass?: new (url: string) => import('./sockets').Socket;
    random?: () => number;
    now?: () => number;
    setTimer?: (callback: () => void, ms: number) => unknown;
    clearTimer?: (timer: unknown) => void;
    onSnapshot?: (frame: import('./messages').SnapshotMessage) => void;
    onEvents?: (frame: import('./messages').EventsMessage) => void;
    onHeartbeat?: (frame: import('./messages').HeartbeatMessage) => void;
    onStatus?: (status: Status) => void;
  }
  export class StreamClient {
    constructor(options: StreamClientOptions);
    readonly state: Status['state'];
    readonly seq: number | null;
    readonly epoch: string | null;
    start(): void;
    stop(): void;
    wake(): void;
  }
}
