package dev.nibble.compute.kernels;

import static dev.nibble.compute.kernels.Tolerance.ofSum;

import dev.nibble.compute.tensor.DType;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Attention over packed segments and over a cache. */
class AttentionConformance extends KernelCases {

  AttentionConformance(Supplier<Kernels> set, DType activations) {
    super(set, activations);
  }

  /**
   * Heads and the segments they attend within.
   *
   * @param tokens rows of q; segments need not cover them
   * @param keys rows of k and v
   */
  private record Case(
      int heads, int keyHeads, int d, int tokens, int keys, List<Segment> segments) {
    int longest() {
      return segments.stream().mapToInt(Segment::kLength).max().orElse(0);
    }

    /** The plain rule, windows shorter and longer than segments, soft caps, and both ways. */
    List<AttentionRule> rules() {
      double scale = 1 / Math.sqrt(d);
      return List.of(
          AttentionRule.causal(scale),
          new AttentionRule(scale, 1, 0),
          new AttentionRule(scale, 7, 2),
          new AttentionRule(scale, 140, 0),
          new AttentionRule(scale, 0, 50),
          AttentionRule.bidirectional(scale),
          new AttentionRule(scale, 0, 2, false));
    }
  }

  /** A row of {@code segments}. */
  private record Segment(int qStart, int qLength, int kStart, int kLength) {}

  private static List<Segment> packed(int... lengths) {
    List<Segment> segments = new ArrayList<>();
    int at = 0;
    for (int length : lengths) {
      segments.add(new Segment(at, length, at, length));
      at += length;
    }
    return segments;
  }

  private static final Case[] TRAINING = {
    new Case(1, 1, 1, 1, 1, packed(1)),
    new Case(1, 1, 7, 3, 3, packed(3)),
    new Case(4, 2, 8, 17, 17, packed(17)),
    new Case(4, 4, 16, 31, 31, packed(15, 1, 15)),
    new Case(6, 3, 33, 24, 24, packed(7, 16, 1)),
    new Case(3, 1, 64, 40, 40, packed(33, 7)),
    new Case(5, 5, 15, 20, 20, packed(1, 1, 3, 15)),
    new Case(8, 2, 16, 150, 150, packed(130, 17)),
    new Case(2, 1, 128, 70, 70, packed(64)),
    // Rows 0 to 2 and 8 to 9 belong to no segment.
    new Case(2, 2, 4, 12, 12, List.of(new Segment(3, 5, 3, 5), new Segment(10, 2, 10, 2))),
  };

  /** Segments with more keys than queries, in a cache with gaps, in any order. */
  private static final Case[] DECODING = {
    new Case(4, 2, 8, 1, 10, List.of(new Segment(0, 1, 0, 10))),
    new Case(
        6,
        2,
        16,
        3,
        60,
        List.of(new Segment(0, 1, 40, 17), new Segment(1, 1, 0, 31), new Segment(2, 1, 35, 1))),
    new Case(4, 4, 33, 9, 100, List.of(new Segment(0, 3, 10, 20), new Segment(4, 5, 50, 45))),
    new Case(3, 3, 7, 2, 300, List.of(new Segment(0, 2, 5, 290))),
  };

  private static Trial.Argument segments(Trial t, Case c) {
    var segments = t.input("segments", DType.I32, c.segments.size(), 4);
    segments
        .get()
        .put(
            c.segments.stream()
                .flatMapToInt(s -> IntStream.of(s.qStart, s.qLength, s.kStart, s.kLength))
                .toArray());
    return segments;
  }

  private void forward(Case c, double factor) {
    c.rules().forEach(rule -> forward(c, factor, rule));
  }

  private void forward(Case c, double factor, AttentionRule rule) {
    try (Trial t = trial(c.heads, c.d, c.tokens)) {
      var q = t.normal("q", factor, c.tokens, c.heads, c.d);
      var k = t.normal("k", c.keys, c.keyHeads, c.d);
      var v = t.normal("v", c.keys, c.keyHeads, c.d);
      var segments = segments(t, c);
      Tolerance tolerance = ofSum(c.d + c.longest()).ofTermsLike(4 * factor).ofRoundedFactors();
      // Noise, not poison: rows of no segment stay as they are.
      var out = t.gradient("out", c.tokens, c.heads, c.d).within(tolerance);
      var lse = t.gradient("lse", DType.F32, c.tokens, c.heads).within(tolerance);
      t.run(on ->
          on.attention()
              .attentionForward(
                  out.get(), lse.get(), q.get(), k.get(), v.get(), segments.get(), rule));
    }
  }

  @Test
  void attentionForward() {
    for (Case c : TRAINING) {
      forward(c, 1);
    }
  }

  @Test
  void attentionForwardOverACache() {
    for (Case c : DECODING) {
      forward(c, 1);
    }
  }

  @Test
  void attentionForwardOfZeroAndOfLargeScores() {
    forward(TRAINING[4], 0);
    forward(TRAINING[4], 100);
  }

  @Test
  void attentionForwardKeepsNanInItsSegment() {
    Case c = TRAINING[4];
    AttentionRule rule = AttentionRule.causal(0.2);
    try (Trial t = trial()) {
      var q = t.normal("q", c.tokens, c.heads, c.d);
      var k = t.normal("k", c.keys, c.keyHeads, c.d);
      var v = t.normal("v", c.keys, c.keyHeads, c.d).set(0, Double.NaN);
      k.set(9L * c.keyHeads * c.d, Double.NaN);
      var segments = segments(t, c);
      var out =
          t.output("out", c.tokens, c.heads, c.d)
              .within(ofSum(100).ofTermsLike(4).ofRoundedFactors());
      var lse = t.output("lse", DType.F32, c.tokens, c.heads).within(ofSum(100).ofTermsLike(4));
      t.run(on ->
          on.attention()
              .attentionForward(
                  out.get(), lse.get(), q.get(), k.get(), v.get(), segments.get(), rule));
    }
  }

  @Test
  void attentionBackward() {
    for (Case c : TRAINING) {
      c.rules().forEach(rule -> backward(c, rule));
    }
  }

  private void backward(Case c, AttentionRule rule) {
    try (Trial t = trial(c.heads, c.d, c.tokens)) {
      var q = t.normal("q", c.tokens, c.heads, c.d);
      var k = t.normal("k", c.keys, c.keyHeads, c.d);
      var v = t.normal("v", c.keys, c.keyHeads, c.d);
      var segments = segments(t, c);
      var out = t.input("out", c.tokens, c.heads, c.d);
      var lse = t.input("lse", DType.F32, c.tokens, c.heads);
      new ReferenceKernels()
          .attention()
          .attentionForward(out.get(), lse.get(), q.get(), k.get(), v.get(), segments.get(), rule);
      var dout = t.normal("dout", c.tokens, c.heads, c.d);
      Tolerance tolerance = ofSum(c.d + c.longest()).ofTermsLike(4).ofRoundedFactors();
      var dq = t.gradient("dq", c.tokens, c.heads, c.d).within(tolerance);
      var dk = t.gradient("dk", c.keys, c.keyHeads, c.d).within(tolerance);
      var dv = t.gradient("dv", c.keys, c.keyHeads, c.d).within(tolerance);
      t.run(on ->
          on.attention()
              .attentionBackward(
                  dq.get(),
                  dk.get(),
                  dv.get(),
                  dout.get(),
                  out.get(),
                  lse.get(),
                  q.get(),
                  k.get(),
                  v.get(),
                  segments.get(),
                  rule));
    }
  }
}
