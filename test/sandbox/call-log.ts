import type { RecordedCall } from "./reply.ts";

/** The calls of both servers, and who waits for one. */
export class CallLog {
  readonly calls: RecordedCall[] = [];
  #waiting: { readonly action: string; readonly resolve: (call: RecordedCall) => void }[] = [];

  /** Whether the call is of this STS action, or of this metadata path or its end. */
  static isOf(call: RecordedCall, action: string): boolean {
    return call.action === action || call.action.endsWith(`/${action}`);
  }

  add(call: RecordedCall): void {
    this.calls.push(call);
    const served = this.#waiting.filter(({ action }) => CallLog.isOf(call, action));
    this.#waiting = this.#waiting.filter((waiter) => !served.includes(waiter));
    for (const { resolve } of served) resolve(call);
  }

  next(action: string): Promise<RecordedCall> {
    return new Promise((resolve) => {
      this.#waiting.push({ action, resolve });
    });
  }
}
