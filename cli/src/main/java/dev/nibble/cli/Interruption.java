package dev.nibble.cli;

import dev.nibble.api.event.Event;
import dev.nibble.cli.input.ProcessSignals;
import dev.nibble.trainer.train.StopRequest;

/**
 * Ctrl-C, SIGTERM, and SIGHUP of a terminal that is closed. While the training loop runs, the first
 * asks it to save and stop, and a second ends the process at once; at any other time the first
 * does. Under {@code nohup}, SIGHUP stays ignored.
 */
final class Interruption {
  /** As POSIX numbers them. */
  private static final int HUP = 1;

  static final int INT = 2;

  private static final int TERM = 15;

  private final StopRequest stop = new StopRequest();
  private volatile boolean inLoop;
  private volatile int signal = INT;

  private Interruption() {}

  /** Installs handlers for the signals. */
  static Interruption install() {
    Interruption interruption = new Interruption();
    ProcessSignals.register("HUP", () -> interruption.on(HUP));
    ProcessSignals.register("INT", () -> interruption.on(INT));
    ProcessSignals.register("TERM", () -> interruption.on(TERM));
    return interruption;
  }

  /** What ends the loop. */
  StopRequest stop() {
    return stop;
  }

  /** Follows whether the loop runs. */
  void follow(Event event) {
    if (event instanceof Event.LoopStarted) {
      inLoop = true;
    } else if (event instanceof Event.LoopEnded) {
      inLoop = false;
    }
  }

  /** The exit code of a loop that was asked to stop. */
  int exitCode() {
    return ExitCode.ofSignal(signal);
  }

  private void on(int number) {
    if (!inLoop || stop.isRequested()) {
      // Files are written beside their place and then renamed, so nothing is left half written.
      Runtime.getRuntime().halt(ExitCode.ofSignal(number));
    }
    signal = number;
    stop.request();
    System.err.println();
    System.err.println("Saving a checkpoint after this step. Press Ctrl-C again to stop at once.");
  }
}
