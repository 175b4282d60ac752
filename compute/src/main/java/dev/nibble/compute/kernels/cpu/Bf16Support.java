package dev.nibble.compute.kernels.cpu;

import dev.nibble.compute.kernels.Processor;
import dev.nibble.compute.kernels.cpu.work.VectorMath;
import java.util.Collections;
import java.util.Optional;
import java.util.Set;

/** The conditions for activations in bfloat16: instructions that multiply it, and long vectors. */
final class Bf16Support {
  private static final Set<String> INSTRUCTIONS = Set.of("avx512_bf16", "amx_bf16");
  private static final String OF_ARM = "bf16";

  private Bf16Support() {}

  /** Why products of bfloat16 would be slow on this machine; empty when they are not. */
  static Optional<String> missingBecause() {
    return missingBecause(Processor.here().flags(), VectorMath.F.vectorBitSize());
  }

  static Optional<String> missingBecause(Set<String> flags, int vectorBits) {
    if (flags.contains(OF_ARM)) {
      return Optional.of(
          "bfloat16 is multiplied by instructions of x86-64 alone (avx512_bf16, amx_bf16); those of this Arm processor have not been tried");
    }
    if (Collections.disjoint(flags, INSTRUCTIONS)) {
      return Optional.of(
          "this processor has no instructions for bfloat16 (avx512_bf16 or amx_bf16)");
    }
    return vectorBits == 512
        ? Optional.empty()
        : Optional.of(
            "bfloat16 needs vectors of 512 bits, and those in use have %d".formatted(vectorBits));
  }
}
