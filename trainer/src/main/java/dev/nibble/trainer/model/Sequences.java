package dev.nibble.trainer.model;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import java.util.List;

/**
 * Tokens of S packed sequences where the kernels can read them.
 *
 * @param tokens I32 [N]
 * @param positions I32 [N], each token's position in its sequence
 * @param segments I32 [S, 4], see {@link dev.nibble.compute.kernels.Kernels}
 * @param ropes the turns of their positions, one for each of the model's ropes
 */
record Sequences(Tensor tokens, Tensor positions, Tensor segments, List<RopeTables> ropes) {

  /** Room for {@code maxTokens} tokens, each at worst a sequence of its own. */
  static Sequences allocate(Scope scope, int maxTokens, List<RopeTables> ropes) {
    return new Sequences(
        scope.allocate("scratch/tokens", DType.I32, maxTokens),
        scope.allocate("scratch/positions", DType.I32, maxTokens),
        scope.allocate("scratch/segments", DType.I32, maxTokens, 4),
        ropes);
  }

  /** Fills the first part of this room and gives a view of it. */
  Sequences fill(
      int[] newTokens, int[] newPositions, int[] newSegments, List<RopeTables> newRopes) {
    return new Sequences(
        tokens.prefix(newTokens.length).put(newTokens),
        positions.prefix(newTokens.length).put(newPositions),
        segments.prefix(newSegments.length / 4, 4).put(newSegments),
        newRopes);
  }

  RopeTables rope(int which) {
    return ropes.get(which);
  }

  /** Number of tokens N. */
  int length() {
    return Math.toIntExact(tokens.elements());
  }
}
