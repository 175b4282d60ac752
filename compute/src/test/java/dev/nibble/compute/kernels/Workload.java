package dev.nibble.compute.kernels;

import static dev.nibble.compute.kernels.Tolerance.ofSum;

import dev.nibble.compute.kernels.OptimizerKernels.AdamWStep;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.weights.Codebook;
import java.util.List;
import java.util.function.Consumer;

/**
 * A kernel's call as a training step makes it, which is compared with the reference at small sizes
 * and timed at large ones.
 *
 * @param name the kernel's, or for a kernel with several uses that use
 */
record Workload(String name, Definition definition) {

  /**
   * A model and its batch.
   *
   * @param tokens N
   * @param heads H, as many of keys as of queries; hidden C = H D
   * @param headSize D, even
   * @param inner F
   * @param vocabulary V
   * @param rank r
   */
  record Sizes(int tokens, int heads, int headSize, int inner, int vocabulary, int rank) {
    /** Llama 2 7B, one sample of 512 tokens. */
    static final Sizes LLAMA_7B = new Sizes(512, 32, 128, 11008, 32000, 16);

    /** The same model with another batch. */
    Sizes ofTokens(int other) {
      return new Sizes(other, heads, headSize, inner, vocabulary, rank);
    }

    int hidden() {
      return heads * headSize;
    }
  }

  /**
   * What is to be called.
   *
   * @param operations multiplications and additions of matrix products; 0 without such
   */
  record Call(double operations, Consumer<Kernels> on) {}

  /** Declares operands for these sizes. */
  interface Definition {
    Call declare(Operands o, Sizes s);
  }

  private static final int BLOCK = 64;
  private static final double SCALE = 0.5;
  private static final AdamWStep STEP = new AdamWStep(10, 1e-4, 0.9, 0.999, 1e-8, 0.01);

  /** All workloads, in the order of a step. */
  static final List<Workload> ALL =
      List.of(
          new Workload("rmsNormForward", Workload::rmsNormForward),
          new Workload("rmsNormBackward", Workload::rmsNormBackward),
          new Workload("ropeForward", Workload::ropeForward),
          new Workload("attentionForward", Workload::attentionForward),
          new Workload("attentionBackward", Workload::attentionBackward),
          new Workload("add", Workload::add),
          new Workload("gatedForward", Workload::gatedForward),
          new Workload("gatedBackward", Workload::gatedBackward),
          new Workload("crossEntropyForward", Workload::crossEntropyForward),
          new Workload("crossEntropyBackward", Workload::crossEntropyBackward),
          new Workload("encode", Workload::encode),
          new Workload("decode", Workload::decode),
          new Workload("frozenForward", Workload::frozenForward),
          new Workload("frozenBackward", Workload::frozenBackward),
          new Workload("loraDown", Workload::loraDown),
          new Workload("loraUp", Workload::loraUp),
          new Workload("loraDownBackward", Workload::loraDownBackward),
          new Workload("loraUpBackward", Workload::loraUpBackward),
          new Workload("loraDownBackwardWeight", Workload::loraDownBackwardWeight),
          new Workload("loraUpBackwardWeight", Workload::loraUpBackwardWeight),
          new Workload("adamW", Workload::adamW),
          new Workload("adamW8bit", Workload::adamW8bit));

  private static Tolerance sum(long terms) {
    return ofSum(terms).ofTermsLike(Math.sqrt((double) terms));
  }

  // ---- normalisation and position ----

  private static Call rmsNormForward(Operands o, Sizes s) {
    var x = o.normal("x", s.tokens, s.hidden());
    var weight = o.parameter("weight", s.hidden());
    var out = o.output("out", s.tokens, s.hidden()).within(ofSum(s.hidden()));
    var rstd = o.output("rstd", DType.F32, s.tokens).within(ofSum(s.hidden()));
    return new Call(
        0, k -> k.norms().rmsNormForward(out.get(), rstd.get(), x.get(), weight.get(), 0, 1e-5));
  }

  private static Call rmsNormBackward(Operands o, Sizes s) {
    var dx = o.gradient("dx", s.tokens, s.hidden()).within(sum(s.hidden()));
    var dout = o.normal("dout", s.tokens, s.hidden());
    var x = o.normal("x", s.tokens, s.hidden());
    var rstd = o.parameter("rstd", s.tokens);
    var weight = o.parameter("weight", s.hidden());
    return new Call(
        0,
        k -> k.norms().rmsNormBackward(dx.get(), dout.get(), x.get(), rstd.get(), weight.get(), 0));
  }

  private static Call ropeForward(Operands o, Sizes s) {
    int pairs = s.headSize / 2;
    var x = o.gradient("x", s.tokens, s.heads, s.headSize);
    var cos = o.input("cos", DType.F32, s.tokens, pairs);
    var sin = o.input("sin", DType.F32, s.tokens, pairs);
    for (int i = 0; i < s.tokens * pairs; i++) {
      cos.set(i, Math.cos(i));
      sin.set(i, Math.sin(i));
    }
    var positions = o.indices("positions", s.tokens, s.tokens);
    return new Call(0, k -> k.norms().ropeForward(x.get(), cos.get(), sin.get(), positions.get()));
  }

  // ---- attention ----

  private static Operands.Operand oneSegment(Operands o, Sizes s) {
    var segments = o.input("segments", DType.I32, 1, 4);
    segments.get().put(0, s.tokens, 0, s.tokens);
    return segments;
  }

  private static AttentionRule rule(Sizes s) {
    return AttentionRule.causal(1 / Math.sqrt(s.headSize));
  }

  /** Operations of one of attention's products, of which causality leaves half. */
  private static double half(Sizes s) {
    return (double) s.tokens * s.tokens * s.hidden();
  }

  private static Tolerance attention(Sizes s) {
    return ofSum(s.headSize + s.tokens).ofTermsLike(4).ofRoundedFactors();
  }

  private static Call attentionForward(Operands o, Sizes s) {
    var out = o.output("out", s.tokens, s.heads, s.headSize).within(attention(s));
    var lse = o.output("lse", DType.F32, s.tokens, s.heads).within(attention(s));
    var q = o.normal("q", s.tokens, s.heads, s.headSize);
    var k = o.normal("k", s.tokens, s.heads, s.headSize);
    var v = o.normal("v", s.tokens, s.heads, s.headSize);
    var segments = oneSegment(o, s);
    return new Call(
        2 * half(s),
        on ->
            on.attention()
                .attentionForward(
                    out.get(), lse.get(), q.get(), k.get(), v.get(), segments.get(), rule(s)));
  }

  private static Call attentionBackward(Operands o, Sizes s) {
    var dq = o.gradient("dq", s.tokens, s.heads, s.headSize).within(attention(s));
    var dk = o.gradient("dk", s.tokens, s.heads, s.headSize).within(attention(s));
    var dv = o.gradient("dv", s.tokens, s.heads, s.headSize).within(attention(s));
    var dout = o.normal("dout", s.tokens, s.heads, s.headSize);
    var out = o.normal("out", s.tokens, s.heads, s.headSize);
    var q = o.normal("q", s.tokens, s.heads, s.headSize);
    var k = o.normal("k", s.tokens, s.heads, s.headSize);
    var v = o.normal("v", s.tokens, s.heads, s.headSize);
    var lse = logSumOfNormal(o, "lse", s.tokens, (long) s.tokens * s.heads, s.tokens, s.heads);
    var segments = oneSegment(o, s);
    return new Call(
        5 * half(s),
        on ->
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
                    rule(s)));
  }

  /** About what the log-sum-exp of so many normal values is. */
  private static Operands.Operand logSumOfNormal(
      Operands o, String name, int values, long elements, long... dims) {
    var lse = o.input(name, DType.F32, dims);
    for (long i = 0; i < elements; i++) {
      lse.set(i, Math.log(values) + 0.5);
    }
    return lse;
  }

  // ---- pointwise ----

  private static Call add(Operands o, Sizes s) {
    var out = o.output("out", s.tokens, s.hidden());
    var a = o.normal("a", s.tokens, s.hidden());
    var b = o.normal("b", s.tokens, s.hidden());
    return new Call(0, k -> k.pointwise().add(out.get(), a.get(), b.get()));
  }

  private static Call gatedForward(Operands o, Sizes s) {
    var out = o.output("out", s.tokens, s.inner);
    var gate = o.normal("gate", s.tokens, s.inner);
    var up = o.normal("up", s.tokens, s.inner);
    return new Call(
        0, k -> k.pointwise().gatedForward(out.get(), gate.get(), up.get(), Activation.SILU));
  }

  private static Call gatedBackward(Operands o, Sizes s) {
    var dgate = o.gradient("dgate", s.tokens, s.inner);
    var dup = o.gradient("dup", s.tokens, s.inner);
    var dout = o.normal("dout", s.tokens, s.inner);
    var gate = o.normal("gate", s.tokens, s.inner);
    var up = o.normal("up", s.tokens, s.inner);
    return new Call(
        0,
        k ->
            k.pointwise()
                .gatedBackward(
                    dgate.get(), dup.get(), dout.get(), gate.get(), up.get(), Activation.SILU));
  }

  // ---- loss ----

  private static Call crossEntropyForward(Operands o, Sizes s) {
    Tolerance tolerance = ofSum(s.vocabulary).ofTermsLike(4);
    var loss = o.output("loss", DType.F32, s.tokens).within(tolerance);
    var lse = o.output("lse", DType.F32, s.tokens).within(tolerance);
    var logits = o.normal("logits", s.tokens, s.vocabulary);
    var targets = o.indices("targets", s.vocabulary, s.tokens);
    return new Call(
        0, k -> k.loss().crossEntropyForward(loss.get(), lse.get(), logits.get(), targets.get()));
  }

  private static Call crossEntropyBackward(Operands o, Sizes s) {
    var dlogits = o.output("dlogits", s.tokens, s.vocabulary).within(ofSum(1).ofTermsLike(4));
    var lse = logSumOfNormal(o, "lse", s.vocabulary, s.tokens, s.tokens);
    var logits = o.normal("logits", s.tokens, s.vocabulary);
    var targets = o.indices("targets", s.vocabulary, s.tokens);
    var scales = o.parameter("scales", s.tokens);
    return new Call(
        0,
        k ->
            k.loss()
                .crossEntropyBackward(
                    dlogits.get(), lse.get(), logits.get(), targets.get(), scales.get()));
  }

  // ---- frozen weights in 4 bits ----

  private static Call encode(Operands o, Sizes s) {
    var in = o.normal("in", o.activations(), 0.02, s.hidden(), s.hidden());
    var out = MatrixOperand.output(o, nf4(o, s.hidden(), s.hidden()));
    return new Call(0, k -> k.products().encode(out.get(), in.get()));
  }

  private static Codebook nf4(Operands o, int rows, int cols) {
    return new SampleMatrices(o.random()).codebook(SampleMatrices.NF4, true, rows, cols, BLOCK);
  }

  private static MatrixOperand weight(Operands o, int rows, int cols) {
    return MatrixOperand.input(o, nf4(o, rows, cols));
  }

  private static Call decode(Operands o, Sizes s) {
    var out = o.output("out", s.hidden(), s.hidden()).within(Tolerance.EXACT);
    var in = weight(o, s.hidden(), s.hidden());
    return new Call(0, k -> k.products().decode(out.get(), in.get()));
  }

  private static Call frozenForward(Operands o, Sizes s) {
    var out = o.output("out", s.tokens, s.inner).within(sum(s.hidden()));
    var x = o.normal("x", s.tokens, s.hidden());
    var weight = weight(o, s.inner, s.hidden());
    return new Call(
        2.0 * s.tokens * s.hidden() * s.inner,
        k -> k.products().frozenForward(out.get(), x.get(), weight.tiled()));
  }

  private static Call frozenBackward(Operands o, Sizes s) {
    var dx = o.gradient("dx", s.tokens, s.hidden()).within(sum(s.inner));
    var dout = o.normal("dout", s.tokens, s.inner);
    var weight = weight(o, s.inner, s.hidden());
    return new Call(
        2.0 * s.tokens * s.hidden() * s.inner,
        k -> k.products().frozenBackward(dx.get(), dout.get(), weight.tiled()));
  }

  // ---- LoRA: down is A [r, C], up is B [C, r] ----

  private static double ofRank(Sizes s) {
    return 2.0 * s.tokens * s.hidden() * s.rank;
  }

  private static Call loraDown(Operands o, Sizes s) {
    var out = o.output("out", s.tokens, s.rank).within(sum(s.hidden()));
    var x = o.normal("x", s.tokens, s.hidden());
    var down = o.parameter("down", s.rank, s.hidden());
    return new Call(ofRank(s), k -> k.products().linearForward(out.get(), x.get(), down.get()));
  }

  private static Call loraUp(Operands o, Sizes s) {
    var out = o.gradient("out", s.tokens, s.hidden()).within(sum(s.rank));
    var x = o.normal("x", s.tokens, s.rank);
    var up = o.parameter("up", s.hidden(), s.rank);
    return new Call(
        ofRank(s), k -> k.products().linearForwardAdd(out.get(), x.get(), up.get(), SCALE));
  }

  private static Call loraDownBackward(Operands o, Sizes s) {
    var dx = o.gradient("dx", s.tokens, s.hidden()).within(sum(s.rank));
    var dout = o.normal("dout", s.tokens, s.rank);
    var down = o.parameter("down", s.rank, s.hidden());
    return new Call(
        ofRank(s), k -> k.products().linearBackward(dx.get(), dout.get(), down.get(), 1));
  }

  private static Call loraUpBackward(Operands o, Sizes s) {
    var dx = o.gradient("dx", s.tokens, s.rank).within(sum(s.hidden()));
    var dout = o.normal("dout", s.tokens, s.hidden());
    var up = o.parameter("up", s.hidden(), s.rank);
    return new Call(
        ofRank(s), k -> k.products().linearBackward(dx.get(), dout.get(), up.get(), SCALE));
  }

  private static Call loraDownBackwardWeight(Operands o, Sizes s) {
    var ddown = o.gradient("ddown", DType.F32, s.rank, s.hidden()).within(sum(s.tokens));
    var dout = o.normal("dout", s.tokens, s.rank);
    var x = o.normal("x", s.tokens, s.hidden());
    return new Call(
        ofRank(s), k -> k.products().linearBackwardWeight(ddown.get(), dout.get(), x.get(), 1));
  }

  private static Call loraUpBackwardWeight(Operands o, Sizes s) {
    var dup = o.gradient("dup", DType.F32, s.hidden(), s.rank).within(sum(s.tokens));
    var dout = o.normal("dout", s.tokens, s.hidden());
    var x = o.normal("x", s.tokens, s.rank);
    return new Call(
        ofRank(s), k -> k.products().linearBackwardWeight(dup.get(), dout.get(), x.get(), SCALE));
  }

  // ---- optimizer ----

  private static Call adamW(Operands o, Sizes s) {
    long n = (long) s.hidden() * s.hidden();
    var weight = o.gradient("weight", DType.F32, n);
    var m = o.gradient("m", DType.F32, n);
    var v = o.gradient("v", DType.F32, n);
    for (long i = 0; i < n; i++) {
      v.set(i, 1);
    }
    var gradient = o.parameter("gradient", n);
    return new Call(
        0, k -> k.optimizers().adamW(weight.get(), m.get(), v.get(), gradient.get(), STEP));
  }

  private static Call adamW8bit(Operands o, Sizes s) {
    long n = (long) s.hidden() * s.hidden();
    long blocks = Math.ceilDiv(n, (long) DynamicMap.BLOCK);
    var weight = o.gradient("weight", DType.F32, n);
    var m = o.codes("m", n);
    var mScales = o.gradient("mScales", DType.F32, blocks).within(Tolerance.EXACT);
    var v = o.codes("v", n);
    var vScales = o.gradient("vScales", DType.F32, blocks).within(Tolerance.EXACT);
    for (long b = 0; b < blocks; b++) {
      mScales.set(b, 1);
      vScales.set(b, 2);
    }
    var gradient = o.parameter("gradient", n);
    return new Call(
        0,
        k ->
            k.optimizers()
                .adamW8bit(
                    weight.get(),
                    m.get(),
                    mScales.get(),
                    v.get(),
                    vScales.get(),
                    gradient.get(),
                    STEP));
  }
}
