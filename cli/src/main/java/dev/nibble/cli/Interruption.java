package dev.nibble.cli;

import dev.nibble.api.runs.StopSignals;
import dev.nibble.trainer.train.Outcome;
import dev.nibble.trainer.train.StopRequest;
import java.util.Optional;
import java.util.function.Supplier;
import org.jline.utils.Signals;

/**
 * Ctrl-C and SIGTERM. While the loop runs, the first asks it to save and stop, and a second ends
 * the process at once; at any other time the first does.
 */
final class Interruption implements StopSignals {
  private volatile Optional<StopRequest> loop = Optional.empty();

  private Interruption() {}

  /** Takes over both signals. */
  static Interruption install() {
    Interruption interruption = new Interruption();
    Signals.register("INT", () -> interruption.on(StopRequest.Signal.INT));
    Signals.register("TERM", () -> interruption.on(StopRequest.Signal.TERM));
    return interruption;
  }

  @Override
  public Outcome whileTraining(StopRequest stop, Supplier<Outcome> training) {
    loop = Optional.of(stop);
    try {
      return training.get();
    } finally {
      loop = Optional.empty();
    }
  }

  private void on(StopRequest.Signal signal) {
    Optional<StopRequest> running = loop.filter(stop -> stop.signal().isEmpty());
    if (running.isEmpty()) {
      // Files are written beside their place and then renamed, so nothing is left half written.
      Runtime.getRuntime().halt(ExitCode.ofSignal(signal.number()));
    }
    running.get().request(signal);
    System.err.println();
    System.err.println("Saving a checkpoint after this step; Ctrl-C again ends at once.");
  }
}
