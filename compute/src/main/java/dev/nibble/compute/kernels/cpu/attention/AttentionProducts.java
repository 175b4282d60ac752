package dev.nibble.compute.kernels.cpu.attention;

import dev.nibble.compute.tensor.DType;
import java.util.Optional;

/** The choice of matrix products for the blocks of a segment, by dtype and length. */
final class AttentionProducts {
  private final F32BlockProducts f32;
  private final Optional<Bf16BlockProducts> bf16;

  /**
   * Products of F32, and of BF16 where the processor multiplies it.
   *
   * @param bf16 empty where it does not
   */
  AttentionProducts(F32BlockProducts f32, Optional<Bf16BlockProducts> bf16) {
    this.f32 = f32;
    this.bf16 = bf16;
  }

  /** The products for a segment, which were prepared before. */
  BlockProducts of(HeadsView q, AttentionSegment segment) {
    return inBf16(q, segment).<BlockProducts>map(b -> b).orElse(f32);
  }

  private Optional<Bf16BlockProducts> inBf16(HeadsView q, AttentionSegment segment) {
    boolean pays = segment.queries() >= Bf16BlockProducts.FEWEST_QUERIES;
    return pays && q.tensor().dtype() == DType.BF16 ? bf16 : Optional.empty();
  }

  /** A number of queries of a block. */
  private interface Rows {
    void of(long queries);
  }

  /** The numbers of queries that blocks of a segment have. */
  private static void each(HeadsView q, AttentionSegment segment, Rows rows) {
    long block = AttentionSegment.queryBlock(segment.queries(), q.size());
    rows.of(block);
    rows.of(segment.queries() % block);
  }

  /** Compiles what a segment's forward needs. Not while workers run. */
  void prepareForward(HeadsView q, AttentionSegment segment, float scale) {
    inBf16(q, segment)
        .ifPresent(b ->
            each(
                q,
                segment,
                queries -> {
                  b.prepareScores(q, queries, scale);
                  b.prepareWeighted(q.size(), queries, segment.keys(), 1);
                }));
  }

  /** Compiles what a segment's backward needs. Not while workers run. */
  void prepareBackward(HeadsView q, AttentionSegment segment, float scale) {
    inBf16(q, segment)
        .ifPresent(b ->
            each(
                q,
                segment,
                queries -> {
                  b.prepareScores(q, queries, scale);
                  b.prepareScores(q, queries, 1);
                  b.prepareTransposed(q.size(), queries, segment.keys(), 1);
                  b.prepareTransposed(q.size(), queries, segment.keys(), scale);
                  b.prepareWeighted(q.size(), queries, segment.keys(), scale);
                }));
  }
}
