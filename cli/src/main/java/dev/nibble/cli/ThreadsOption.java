package dev.nibble.cli;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** {@code --threads}, short for {@code --set threads=N}. */
final class ThreadsOption {
  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "CPU threads; 0 = one for each core. Short for --set threads=N.")
  private @Nullable String threads;

  /** The overrides with this one behind them. */
  List<String> with(List<String> overrides) {
    List<String> all = new ArrayList<>(overrides);
    if (threads != null) {
      all.add("threads=" + threads);
    }
    return all;
  }
}
