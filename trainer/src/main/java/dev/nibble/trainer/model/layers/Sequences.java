package dev.nibble.trainer.model.layers;

import dev.nibble.compute.kernels.Buffers;
import dev.nibble.compute.kernels.HostAndDevice;
import dev.nibble.compute.kernels.Kernels;
import java.util.List;

/**
 * Tokens of S packed sequences where the kernels can read them.
 *
 * @param tokens I32 [N]
 * @param positions I32 [N], each token's position in its sequence
 * @param segments I32 [S, 4], see {@link dev.nibble.compute.kernels.Kernels}
 * @param ropes rotation tables of their positions, one for each of the model's ropes
 */
record Sequences(
    HostAndDevice tokens, HostAndDevice positions, HostAndDevice segments, List<RopeTables> ropes) {

  /** Buffers for {@code maxTokens} tokens, each at worst a sequence of its own. */
  static Sequences allocate(Buffers buffers, int maxTokens, List<RopeTables> ropes) {
    return new Sequences(
        buffers.indices("scratch/tokens", maxTokens),
        buffers.indices("scratch/positions", maxTokens),
        buffers.indices("scratch/segments", maxTokens, 4),
        ropes);
  }

  /** Fills the first part of these buffers and returns a view of it. */
  Sequences fill(
      Kernels kernels,
      int[] newTokens,
      int[] newPositions,
      int[] newSegments,
      List<RopeTables> newRopes) {
    return new Sequences(
        tokens.prefix(newTokens.length).put(kernels, newTokens),
        positions.prefix(newTokens.length).put(kernels, newPositions),
        segments.prefix(newSegments.length / 4, 4).put(kernels, newSegments),
        newRopes);
  }

  RopeTables rope(int which) {
    return ropes.get(which);
  }

  /** Number of tokens N. */
  int length() {
    return Math.toIntExact(tokens.host().elements());
  }
}
