package dev.nibble.api.machine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;

/** Memory that this process occupies, as Linux counts it. */
public final class ResidentMemory {
  private static final Path STATUS = Path.of("/proc/self/status");

  private ResidentMemory() {}

  /** Bytes now; empty where the system does not say. */
  public static OptionalLong now() {
    return read("VmRSS:");
  }

  /** The most bytes so far; empty where the system does not say. */
  public static OptionalLong peak() {
    return read("VmHWM:");
  }

  private static OptionalLong read(String field) {
    if (!Files.isReadable(STATUS)) {
      return OptionalLong.empty();
    }
    try {
      for (String line : Files.readAllLines(STATUS)) {
        if (line.startsWith(field)) {
          String kibibytes = line.substring(field.length()).replace("kB", "").strip();
          return OptionalLong.of(1024 * Long.parseLong(kibibytes));
        }
      }
      return OptionalLong.empty();
    } catch (IOException e) {
      return OptionalLong.empty();
    }
  }
}
