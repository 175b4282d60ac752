package dev.nibble.compute.kernels;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;

/**
 * Every operation that training and generation need, as forward/backward pairs over memory that the
 * caller owns.
 *
 * <p>Conventions. Outputs come first, then what forward saved, inputs, parameters, scalars. Forward
 * overwrites its outputs; backward <em>accumulates</em> into gradients, except where a method says
 * otherwise. Inputs are not changed. The same call on the same inputs gives the same bits. An
 * output may not overlap an input, except where a method allows it. No method allocates tensors; a
 * set's scratch is taken when the set is opened.
 *
 * <p>Dtypes. What trains, its gradients, statistics (rstd, lse, loss) and small tables (norm
 * weights, cos, sin) are F32. Activations and their gradients are F32; a set whose {@link
 * #activations()} are BF16 takes them in BF16 too, all of one call alike. Frozen dense weights, and
 * tables that rows are gathered from, may be F32, BF16 or F16; their values are widened exactly.
 * Products and sums are taken in float32 or better, and a BF16 result is rounded once. With BF16
 * activations, weights are rounded to BF16 before they are multiplied; so may be attention's
 * probabilities and their gradients.
 *
 * <p>Indices (tokens, rows, targets) outside their table are the caller's error. Where Java can
 * read them it is an {@link IndexOutOfBoundsException}; on an accelerator the result is NaN, and
 * nothing outside the table is touched.
 *
 * <p>Letters: B batch, T tokens, N = all tokens of a batch in one row, C hidden, H heads, K
 * key/value heads, D head size, F feed-forward size, V vocabulary, r rank, I inputs and O outputs
 * of a linear map, S segments.
 *
 * <p>Sequences are packed: N tokens of S segments lie one after another, with no padding. {@code
 * segments} is I32 [S, 4], a row {@code (qStart, qLength, kStart, kLength)} for each: its queries
 * are rows qStart.. of q, its keys rows kStart.. of k and v. Query i of a segment sees its keys 0
 * to {@code i + kLength - qLength}; nothing is seen across segments. When training, queries and
 * keys coincide; when generating, keys lie in a cache.
 *
 * <p>A set implements every method. None falls back to another set.
 */
public interface Kernels extends AutoCloseable {

  /** The set's name, as recipes write it: {@code nd4j}, {@code cpu} or {@code cuda}. */
  String name();

  /** Where tensors for this set must be allocated. */
  Memory memory();

  /** The dtype of activations and their gradients: F32 or BF16. */
  DType activations();

  // ---- moving data ----

  /** out[i] = value. Any dtype; integers are rounded. */
  void fill(Tensor out, double value);

  /**
   * out[i] = in[i], rounded to out's dtype. As many elements; from and to host or this set's
   * device. When it returns, what lies on the host may be read and changed.
   */
  void copy(Tensor out, Tensor in);

  /** out[i] = a[i] + b[i]. out may be a or b. */
  void add(Tensor out, Tensor a, Tensor b);

  /** x[i] *= factor, in place. */
  void scale(Tensor x, double factor);

  /**
   * out[n] = table[rows[n]]: embedding look-up, and the choice of supervised positions.
   *
   * @param out [N, C]
   * @param table F32, BF16 or F16 [V, C]
   * @param rows I32 [N], each in [0, V)
   */
  void gatherRowsForward(Tensor out, Tensor table, Tensor rows);

  /**
   * dtable[rows[n]] += dout[n], in order of n.
   *
   * @param dtable F32, or of dout's dtype, [V, C]
   * @param dout [N, C]
   */
  void gatherRowsBackward(Tensor dtable, Tensor dout, Tensor rows);

  /**
   * out[n, j] = x[n, from + j]: one part of what a fused linear map gives.
   *
   * @param out [N, W]
   * @param x [N, M] with from + W &lt;= M
   */
  void columnsForward(Tensor out, Tensor x, long from);

  /**
   * dx[n, from + j] += dout[n, j].
   *
   * @param dx [N, M]
   * @param dout [N, W]
   */
  void columnsBackward(Tensor dx, Tensor dout, long from);

  // ---- normalisation and position ----

  /**
   * RMSNorm (arXiv:1910.07467): rstd[n] = 1/sqrt(mean_c x[n,c]^2 + eps); out[n,c] = x[n,c] *
   * rstd[n] * (offset + weight[c]).
   *
   * @param out [N, C]
   * @param rstd [N], kept for backward
   * @param x [N, C]
   * @param weight F32 [C]
   * @param offset 0, or 1 for families that store weight - 1
   */
  void rmsNormForward(Tensor out, Tensor rstd, Tensor x, Tensor weight, double offset, double eps);

  /**
   * With g = dout*(offset + weight) and h = x*rstd: dx[n] += rstd[n] * (g[n] - h[n] * mean_c(g[n,c]
   * h[n,c])).
   *
   * @param dx [N, C]
   */
  void rmsNormBackward(Tensor dx, Tensor dout, Tensor x, Tensor rstd, Tensor weight, double offset);

  /** dweight[c] += sum_n dout[n,c] x[n,c] rstd[n]. */
  void rmsNormBackwardWeight(Tensor dweight, Tensor dout, Tensor x, Tensor rstd);

  /**
   * Rotary position embedding (arXiv:2104.09864) in the half-split layout, in place. With R =
   * cos.cols(), each pair (j, j+R), j < R, of a head turns by the angle of the token's position:
   * x_j' = x_j cos_j - x_{j+R} sin_j; x_{j+R}' = x_{j+R} cos_j + x_j sin_j. Elements from 2R on
   * stay.
   *
   * @param x [N, H, D] with 2R &lt;= D
   * @param cos [P, R] by position
   * @param sin [P, R] by position
   * @param positions I32 [N], each in [0, P)
   */
  void ropeForward(Tensor x, Tensor cos, Tensor sin, Tensor positions);

  /** The inverse turn, in place on the gradient; it does not accumulate. */
  void ropeBackward(Tensor dx, Tensor cos, Tensor sin, Tensor positions);

  // ---- attention ----

  /**
   * Causal softmax(z) v within each segment, z = cap(scale * q k^T); query head h reads key/value
   * head h / (H/K). With a window W (arXiv:2004.05150), the query of position p, counted among its
   * segment's keys, sees keys p - W + 1 to p. cap(z) is z, or softCap * tanh(z / softCap).
   *
   * @param out [N, H, D]
   * @param lse [N, H]: log-sum-exp of z, kept for backward
   * @param q [N, H, D]
   * @param k [M, K, D]
   * @param v [M, K, D]
   * @param segments I32 [S, 4]; rows of out that no segment covers are left as they are
   */
  void attentionForward(
      Tensor out, Tensor lse, Tensor q, Tensor k, Tensor v, Tensor segments, AttentionRule rule);

  /**
   * With P = exp(z - lse), delta = sum_d dout*out, dS = P * (dout v^T - delta), times 1 -
   * (z/softCap)^2 where scores are capped: dq += scale dS k; dk += scale dS^T q; dv += P^T dout.
   * Segments must have qLength = kLength.
   */
  void attentionBackward(
      Tensor dq,
      Tensor dk,
      Tensor dv,
      Tensor dout,
      Tensor out,
      Tensor lse,
      Tensor q,
      Tensor k,
      Tensor v,
      Tensor segments,
      AttentionRule rule);

  // ---- linear maps ----

  /**
   * out = x weight^T.
   *
   * @param out [N, O]
   * @param x [N, I]
   * @param weight F32, BF16 or F16 [O, I]
   */
  void linearForward(Tensor out, Tensor x, Tensor weight);

  /** out += scale * x weight^T: how a low-rank update joins its base. */
  void linearForwardAdd(Tensor out, Tensor x, Tensor weight, double scale);

  /** dx += scale * dout weight. */
  void linearBackward(Tensor dx, Tensor dout, Tensor weight, double scale);

  /** dweight += scale * dout^T x, F32 [O, I]. A frozen weight has no such call. */
  void linearBackwardWeight(Tensor dweight, Tensor dout, Tensor x, double scale);

  /**
   * out[n] += bias.
   *
   * @param out [N, O]
   * @param bias F32, BF16 or F16 [O]
   */
  void biasForward(Tensor out, Tensor bias);

  /** dbias += sum_n dout[n]. */
  void biasBackward(Tensor dbias, Tensor dout);

  // ---- frozen 4-bit weights ----

  /**
   * Fills out's codes and scales from in (F32, BF16 or F16, rows*cols finite elements, widened
   * exactly), bit-equal to bitsandbytes' CPU quantiser, all in float32:
   *
   * <ul>
   *   <li>absmax of a block is its largest magnitude, a = max(absmax, 1e-38); v = x * (1/a), or x /
   *       a in a short last block, clamped to [-1, 1].
   *   <li>The codebook need not ascend in code order (FP4's does not). Let s be its 16 values
   *       sorted ascending, of equal values (FP4 has 0 twice, codes 0 and 8) the lower code first,
   *       and m[i] = (s[i] + s[i+1]) * 0.5 the 15 midpoints. x takes the code whose value is s[k],
   *       k = number of i with m[i] &lt; v: the nearest value, the lower one in a tie. So where FP4
   *       rounds to 0, v &lt;= 0 takes code 0 and v &gt; 0 code 8.
   *   <li>An all-zero block has absmax 0 and the code of 0, which also fills the spare half byte of
   *       an odd matrix: 7 in NF4, 0 in FP4.
   *   <li>Nested: offset = the mean of all absmax, summed in PyTorch's order, see {@link
   *       NestedScales#offset}. Each d = absmax - offset; the nested absmax of a block of scales is
   *       its largest |d|; u = d * (1/that), or 0 when that is 0; the code is that of u's {@link
   *       NestedScales#bin}, see {@link NestedScales#codeOfBin}.
   * </ul>
   */
  void quantize(Quantized out, Tensor in);

  /**
   * out[i] = codebook[code[i]] * scale[i / block], rounded once to out's dtype (F32, BF16 or F16).
   *
   * @param out any shape of rows*cols elements
   */
  void dequantize(Tensor out, Quantized in);

  /**
   * out = x weight^T, the weight dequantised tile by tile into scratch, never whole for large
   * matrices.
   *
   * @param out [N, O]
   * @param x [N, I]
   */
  void quantizedLinearForward(Tensor out, Tensor x, Quantized weight);

  /** dx += dout weight. There is no gradient of the weight. */
  void quantizedLinearBackward(Tensor dx, Tensor dout, Quantized weight);

  // ---- pointwise ----

  /** Gated activation (arXiv:2002.05202): out = a(gate) * up. All [N, F]. */
  void gatedForward(Tensor out, Tensor gate, Tensor up, Activation a);

  /** dup += dout * a(gate); dgate += dout * up * a'(gate), see {@link Activation}. */
  void gatedBackward(Tensor dgate, Tensor dup, Tensor dout, Tensor gate, Tensor up, Activation a);

  /** Soft cap of logits (arXiv:2408.00118), in place: x[i] = cap * tanh(x[i] / cap). */
  void softCapForward(Tensor x, double cap);

  /**
   * dx[i] *= 1 - (x[i] / cap)^2, in place on the gradient; it does not accumulate.
   *
   * @param x what forward left, already capped
   */
  void softCapBackward(Tensor dx, Tensor x, double cap);

  /**
   * Inverted dropout: element i is dropped (0) when {@link Dropout#isDropped}(seed, i, rate), else
   * divided by (1 - rate). The mask is a pure function of seed and index: every set draws the same,
   * and backward draws it again.
   */
  void dropoutForward(Tensor out, Tensor x, double rate, long seed);

  /** dx += dout / (1 - rate) where forward kept the element. */
  void dropoutBackward(Tensor dx, Tensor dout, double rate, long seed);

  // ---- adapters ----

  /**
   * out[n, c] = x[n, c] * factors[c]. out may be x.
   *
   * @param out [N, C]
   * @param factors F32 [C]
   */
  void scaleColumns(Tensor out, Tensor x, Tensor factors);

  /** out[c] += sum_n a[n, c] b[n, c], F32 [C]: the gradient of {@link #scaleColumns}' factors. */
  void columnDots(Tensor out, Tensor a, Tensor b);

  /**
   * Reciprocal lengths of the rows of W + s B A (DoRA, arXiv:2402.09353), from products that are no
   * larger than B: out[o] = 1 / sqrt(squares[o] + sum_k b[o, k] (2 s p[k, o] + s^2 q[o, k])).
   *
   * @param out [O]
   * @param squares F32 [O]: squared lengths of W's rows
   * @param b B [O, r]
   * @param p A W^T [r, O]
   * @param q B A A^T [O, r]
   * @param scale s
   */
  void inverseRowNorms(Tensor out, Tensor squares, Tensor b, Tensor p, Tensor q, double scale);

  /**
   * out[n, k] = table[k, columns[n]]: embedding look-up in a table that lies on its side.
   *
   * @param out [N, r]
   * @param table F32 [r, V]
   * @param columns I32 [N], each in [0, V)
   */
  void gatherColumnsForward(Tensor out, Tensor table, Tensor columns);

  /**
   * dtable[k, columns[n]] += dout[n, k], in order of n.
   *
   * @param dtable F32 [r, V]
   * @param dout [N, r]
   */
  void gatherColumnsBackward(Tensor dtable, Tensor dout, Tensor columns);

  /**
   * Noisy embeddings (NEFTune, arXiv:2310.05914): x[n, c] += alpha / sqrt(L C) * u, L the length of
   * the segment that n is in and u = {@link Dropout#uniform}(seed, n C + c). The gradient passes
   * unchanged.
   *
   * @param x [N, C]
   * @param segments I32 [S, 4]; rows that no segment covers stay
   */
  void addNoise(Tensor x, Tensor segments, double alpha, long seed);

  // ---- loss ----

  /**
   * loss[m] = lse[m] - logits[m, targets[m]], lse[m] = log sum_v exp(logits[m, v]).
   *
   * @param loss [M]
   * @param lse [M], kept for backward
   * @param logits [M, V]
   * @param targets I32 [M], each in [0, V)
   */
  void crossEntropyForward(Tensor loss, Tensor lse, Tensor logits, Tensor targets);

  /**
   * dlogits[m, v] = scale * (exp(logits[m, v] - lse[m]) - (v == targets[m])). Overwrites; dlogits
   * may be logits.
   */
  void crossEntropyBackward(
      Tensor dlogits, Tensor lse, Tensor logits, Tensor targets, double scale);

  // ---- optimizer ----

  /** out[0] += sum_i x[i]^2, summed in float64; out is F64 [1]. */
  void sumOfSquares(Tensor out, Tensor x);

  /**
   * AdamW (arXiv:1711.05101) in PyTorch's order, elementwise over F32 tensors of one size: w -=
   * lr*wd*w; m = b1 m + (1-b1) g; v = b2 v + (1-b2) g^2; w -= lr/(1-b1^t) * m /
   * (sqrt(v)/sqrt(1-b2^t) + eps).
   */
  void adamW(Tensor weight, Tensor m, Tensor v, Tensor gradient, AdamWStep step);

  /**
   * {@link #adamW} with moments in 8 bits (arXiv:2110.02861), in blocks of {@link DynamicMap#BLOCK}
   * that begin with the first element; B is their number, the last may be short. The weight moves
   * by the new moments before they are rounded. A moment is {@code value(code) * scale}, and its
   * new code and scale are those that {@link DynamicMap} says: m by the signed map, v by the
   * unsigned one. Moments are computed in float32, each operation rounded on its own, {@code b *
   * moment + (1-b) * x} with x = g or g * g and coefficients rounded to float32: codes and scales
   * are the same bits in every set. Gradients must be finite.
   *
   * @param weight F32 [n]
   * @param m U8 [n], codes
   * @param mScales F32 [B]
   * @param v U8 [n], codes
   * @param vScales F32 [B]
   * @param gradient F32 [n]
   */
  void adamW8bit(
      Tensor weight,
      Tensor m,
      Tensor mScales,
      Tensor v,
      Tensor vScales,
      Tensor gradient,
      AdamWStep step);

  /**
   * Lion (arXiv:2302.06675), elementwise over F32 tensors of one size: w -= lr*wd*w; w -= lr *
   * sign(b1 m + (1-b1) g); m = b2 m + (1-b2) g. The sign of 0 is 0; that of the sum is taken of its
   * float32 value, each operation rounded on its own.
   */
  void lion(Tensor weight, Tensor m, Tensor gradient, LionStep step);

  /**
   * Gradient descent with momentum, elementwise over F32 tensors of one size: w -= lr*wd*w;
   * velocity = momentum * velocity + g; w -= lr * velocity. Without momentum, velocity may be
   * gradient.
   */
  void sgd(Tensor weight, Tensor velocity, Tensor gradient, SgdStep step);

  /**
   * Adafactor (arXiv:1804.04235) with a learning rate that is given, without momentum, on one
   * matrix; a vector is one row. rows[i] = b2 rows[i] + (1-b2) mean_j(g[i,j]^2 + eps); columns[j]
   * likewise over i; u[i,j] = g[i,j] / sqrt(rows[i] / mean(rows) * columns[j]); w -= lr*wd*w; w -=
   * lr * u / max(1, rms(u) / clip).
   *
   * @param weight F32 [O, I] or [I]
   * @param rows F32 [O], or [1]
   * @param columns F32 [I]
   * @param gradient as weight
   */
  void adafactor(Tensor weight, Tensor rows, Tensor columns, Tensor gradient, AdafactorStep step);

  // ---- memory in pages ----

  /**
   * Memory for what is used a page at a time, for which this set's device need not have room.
   *
   * @param scope takes what stays in this set's memory
   * @param pageBytes size of each page
   */
  Pager pager(Scope scope, long[] pageBytes, Paging paging);

  /** Gives scratch and threads back. Tensors of callers are untouched. */
  @Override
  void close();
}
