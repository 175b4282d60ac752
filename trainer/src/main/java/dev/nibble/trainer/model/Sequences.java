package dev.nibble.trainer.model;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;

/**
 * Tokens of S packed sequences where the kernels can read them.
 *
 * @param tokens I32 [N]
 * @param positions I32 [N], each token's position in its sequence
 * @param segments I32 [S, 4], see {@link dev.nibble.compute.kernels.Kernels}
 * @param rope the turns of their positions
 */
record Sequences(Tensor tokens, Tensor positions, Tensor segments, RopeTables rope) {

  /** Room for {@code maxTokens} tokens, each at worst a sequence of its own. */
  static Sequences allocate(Scope scope, int maxTokens, RopeTables rope) {
    return new Sequences(
        scope.allocate("scratch/tokens", DType.I32, maxTokens),
        scope.allocate("scratch/positions", DType.I32, maxTokens),
        scope.allocate("scratch/segments", DType.I32, maxTokens, 4),
        rope);
  }

  /** Fills the first part of this room and gives a view of it. */
  Sequences fill(int[] newTokens, int[] newPositions, int[] newSegments, RopeTables newRope) {
    return new Sequences(
        tokens.prefix(newTokens.length).put(newTokens),
        positions.prefix(newTokens.length).put(newPositions),
        segments.prefix(newSegments.length / 4, 4).put(newSegments),
        newRope);
  }

  /** Number of tokens N. */
  int length() {
    return Math.toIntExact(tokens.elements());
  }
}
