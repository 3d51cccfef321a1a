import { appendFileSync } from "node:fs";

/** zot's log levels, most verbose first (zot 2.1.20, pkg/log). */
const LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "panic"] as const;

type Level = (typeof LEVELS)[number];
type Fields = Record<string, unknown>;

/** One JSON object per line, with zot's member names and order: time, level, message, then the fields. */
export interface Logger {
  debug(message: string, fields?: Fields): void;
  info(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields): void;
  panic(message: string, fields?: Fields): void;
}

export interface LogSettings {
  /** Default "info". "warning" is an accepted spelling of "warn". */
  level?: string | undefined;
  /** A file to append to; default standard output. */
  output?: string | undefined;
}

export function isLogLevel(level: string): boolean {
  return level === "warning" || LEVELS.some((known) => known === level);
}

export function createLogger(settings: LogSettings = {}): Logger {
  const threshold = LEVELS.indexOf((settings.level === "warning" ? "warn" : (settings.level ?? "info")) as Level);
  const write = (level: Level, message: string, fields: Fields = {}) => {
    if (LEVELS.indexOf(level) < threshold) return;
    const line = `${JSON.stringify({ time: new Date().toISOString(), level, message, ...fields })}\n`;
    if (settings.output) {
      appendFileSync(settings.output, line, { mode: 0o600 });
    } else {
      process.stdout.write(line);
    }
  };
  return {
    debug: (message, fields) => write("debug", message, fields),
    info: (message, fields) => write("info", message, fields),
    warn: (message, fields) => write("warn", message, fields),
    error: (message, fields) => write("error", message, fields),
    panic: (message, fields) => write("panic", message, fields),
  };
}
