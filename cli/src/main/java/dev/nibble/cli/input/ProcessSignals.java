package dev.nibble.cli.input;

import org.jline.utils.Signals;

/** Handlers of signals that the process gets. One that was ignored when it began stays ignored. */
public final class ProcessSignals {
  private ProcessSignals() {}

  /** Runs {@code handler} whenever the signal comes, such as {@code INT}. */
  public static void register(String signal, Runnable handler) {
    Signals.register(signal, handler);
  }
}
