package dev.nibble.cli;

/** Exit codes of the command. */
final class ExitCode {
  private ExitCode() {}

  static final int OK = 0;
  static final int FAILED = 1;
  static final int USAGE = 2;

  /** Ended by a signal: 128 and its number, as shells have it. */
  static int ofSignal(int number) {
    return 128 + number;
  }
}
