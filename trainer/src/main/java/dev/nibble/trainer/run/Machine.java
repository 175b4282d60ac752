package dev.nibble.trainer.run;

import dev.nibble.compute.kernels.Processor;

/**
 * Where a run happened.
 *
 * @param jdk vendor and version
 * @param os name, version and architecture
 * @param cpu its name
 * @param cores that Java may use
 */
public record Machine(String jdk, String os, String cpu, int cores) {

  /** This one. */
  public static Machine current() {
    return new Machine(
        System.getProperty("java.vendor") + " " + Runtime.version(),
        "%s %s %s"
            .formatted(
                System.getProperty("os.name"),
                System.getProperty("os.version"),
                System.getProperty("os.arch")),
        Processor.here().name(),
        Runtime.getRuntime().availableProcessors());
  }
}
