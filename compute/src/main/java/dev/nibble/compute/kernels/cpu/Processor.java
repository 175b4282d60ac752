package dev.nibble.compute.kernels.cpu;

import dev.nibble.compute.kernels.cpu.work.VectorMath;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** What Linux says of the processor. */
final class Processor {
  /** Instructions that multiply bfloat16. */
  private static final Set<String> BF16 = Set.of("avx512_bf16", "amx_bf16");

  private static final List<String> LINES = lines();

  private Processor() {}

  private static List<String> lines() {
    try {
      return Files.readAllLines(Path.of("/proc/cpuinfo"));
    } catch (IOException | UncheckedIOException e) {
      return List.of();
    }
  }

  /** Its model. */
  static String name() {
    return value("model name").orElse("x86-64");
  }

  private static Optional<String> value(String key) {
    return LINES.stream()
        .filter(line -> line.startsWith(key))
        .map(line -> line.substring(line.indexOf(':') + 1).strip())
        .findFirst();
  }

  /** Why products of bfloat16 would be slow here; empty when they are not. */
  static Optional<String> noBf16Because() {
    return noBf16Because(value("flags").orElse(""), VectorMath.F.vectorBitSize());
  }

  static Optional<String> noBf16Because(String flags, int vectorBits) {
    if (Arrays.stream(flags.split(" ")).noneMatch(BF16::contains)) {
      return Optional.of(
          "this processor has no instructions for bfloat16 (avx512_bf16 or amx_bf16)");
    }
    return vectorBits == 512
        ? Optional.empty()
        : Optional.of(
            "bfloat16 needs vectors of 512 bits, and those in use have %d".formatted(vectorBits));
  }
}
