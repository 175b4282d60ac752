package dev.nibble.compute.kernels;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import java.io.OutputStream;
import java.io.PrintStream;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Gradients by automatic differentiation, independent of every formula in {@link Kernels}: the
 * forward is written as a SameDiff graph in float64, and its gradients must be what the kernels'
 * backward gives. A kernel set extends this class.
 */
public abstract class SameDiffOracle {
  private final Scope scope = Scope.open("test", Memory.host());
  private final Random random = new Random(11);
  private final SameDiff graph = SameDiff.create();
  private Kernels k = new ReferenceKernels();

  /** Opens the set under test, which must work in host memory. */
  protected abstract Kernels open();

  @BeforeEach
  void openSet() {
    k = open();
  }

  @AfterEach
  void close() {
    k.close();
    scope.close();
  }

  private Tensor zeros(long... dims) {
    return scope.allocate("t", DType.F32, dims);
  }

  private Tensor normal(double factor, long... dims) {
    Tensor t = zeros(dims);
    for (long i = 0; i < t.elements(); i++) {
      t.setFloat(i, factor * random.nextGaussian());
    }
    return t;
  }

  private static INDArray array(Tensor t) {
    double[] values = new double[Math.toIntExact(t.elements())];
    for (int i = 0; i < values.length; i++) {
      values[i] = t.getDouble(i);
    }
    return Nd4j.create(values, t.shape().dims(), DataType.DOUBLE);
  }

  private SDVariable variable(String name, Tensor t) {
    return graph.var(name, array(t));
  }

  /** Makes sum(dout * out) the loss and demands these gradients. */
  private void check(SDVariable out, Tensor dout, Map<String, Tensor> gradients) {
    SDVariable loss = out.mul(graph.constant(array(dout))).sum("loss");
    graph.setLossVariables(loss);
    Map<String, INDArray> expected = differentiate(gradients.keySet().toArray(new String[0]));
    gradients.forEach((name, got) -> {
      INDArray gradient = Objects.requireNonNull(expected.get(name), name);
      double[] e = gradient.reshape(got.elements()).toDoubleVector();
      double largest = 0;
      for (double x : e) {
        largest = Math.max(largest, Math.abs(x));
      }
      double allowed = Tolerance.ofSum(100).allowed(largest, DType.F32);
      for (int i = 0; i < e.length; i++) {
        assertThat(got.getDouble(i)).as("d%s[%d]", name, i).isCloseTo(e[i], within(allowed));
      }
    });
  }

  /** SameDiff prints each operation that it differentiates; that is kept out of the build's log. */
  private Map<String, INDArray> differentiate(String... names) {
    PrintStream console = System.out;
    System.setOut(new PrintStream(OutputStream.nullOutputStream(), false, UTF_8));
    try {
      return graph.calculateGradients(new HashMap<>(), names);
    } finally {
      System.setOut(console);
    }
  }

  @Test
  void rmsNorm() {
    int n = 5;
    int c = 17;
    Tensor x = normal(1, n, c);
    Tensor weight = normal(1, c);
    Tensor dout = normal(1, n, c);
    Tensor rstd = zeros(n);
    k.norms().rmsNormForward(zeros(n, c), rstd, x, weight, 0, 1e-5);
    Tensor dx = zeros(n, c);
    Tensor dweight = zeros(c);
    k.norms().rmsNormBackward(dx, dout, x, rstd, weight, 0);
    k.norms().rmsNormBackwardWeight(dweight, dout, x, rstd);

    SDVariable in = variable("x", x);
    SDVariable root = graph.math().sqrt(in.mul(in).mean(true, 1).add(1e-5));
    check(in.div(root).mul(variable("weight", weight)), dout, Map.of("x", dx, "weight", dweight));
  }

  @Test
  void gatedMlp() {
    int n = 6;
    int c = 8;
    int f = 21;
    Tensor x = normal(1, n, c);
    Tensor gateWeight = normal(0.5, f, c);
    Tensor upWeight = normal(0.5, f, c);
    Tensor downWeight = normal(0.5, c, f);
    Tensor dout = normal(1, n, c);
    Tensor gate = zeros(n, f);
    Tensor up = zeros(n, f);
    Tensor h = zeros(n, f);
    k.products().linearForward(gate, x, gateWeight);
    k.products().linearForward(up, x, upWeight);
    k.pointwise().gatedForward(h, gate, up, Activation.SILU);
    Tensor dh = zeros(n, f);
    Tensor dgate = zeros(n, f);
    Tensor dup = zeros(n, f);
    Tensor dx = zeros(n, c);
    Tensor dgateWeight = zeros(f, c);
    Tensor dupWeight = zeros(f, c);
    Tensor ddownWeight = zeros(c, f);
    k.products().linearBackward(dh, dout, downWeight, 1);
    k.products().linearBackwardWeight(ddownWeight, dout, h, 1);
    k.pointwise().gatedBackward(dgate, dup, dh, gate, up, Activation.SILU);
    k.products().linearBackward(dx, dgate, gateWeight, 1);
    k.products().linearBackward(dx, dup, upWeight, 1);
    k.products().linearBackwardWeight(dgateWeight, dgate, x, 1);
    k.products().linearBackwardWeight(dupWeight, dup, x, 1);

    SDVariable in = variable("x", x);
    SDVariable g = linear(in, variable("gate", gateWeight));
    SDVariable u = linear(in, variable("up", upWeight));
    SDVariable activated = g.mul(graph.nn().sigmoid(g)).mul(u);
    check(
        linear(activated, variable("down", downWeight)),
        dout,
        Map.of("x", dx, "gate", dgateWeight, "up", dupWeight, "down", ddownWeight));
  }

  private SDVariable linear(SDVariable x, SDVariable weight) {
    return x.mmul(graph.transpose(weight));
  }

  @Test
  void crossEntropy() {
    int n = 4;
    int v = 13;
    Tensor logits = normal(2, n, v);
    Tensor targets = scope.allocate("targets", DType.I32, n).put(12, 0, 5, 5);
    Tensor lse = zeros(n);
    Tensor dlogits = zeros(n, v);
    k.loss().crossEntropyForward(zeros(n), lse, logits, targets);
    Tensor scales = zeros(n).put(0.25f, 1, 0, -2);
    k.loss().crossEntropyBackward(dlogits, lse, logits, targets, scales);

    double[] chosen = new double[n * v];
    for (int m = 0; m < n; m++) {
      chosen[m * v + targets.getInt(m)] = 1;
    }
    SDVariable z = variable("logits", logits);
    SDVariable choice = graph.constant(Nd4j.create(chosen, new long[] {n, v}, DataType.DOUBLE));
    SDVariable sums = graph.math().log(graph.math().exp(z).sum(1));
    check(sums.sub(z.mul(choice).sum(1)), scales, Map.of("logits", dlogits));
  }

  /**
   * Two segments; four query heads on two key/value heads. Each head is a graph of its own over its
   * own columns.
   */
  @Test
  void attention() {
    int n = 9;
    int heads = 4;
    int keyHeads = 2;
    int d = 5;
    int[][] segments = {{0, 6, 0, 6}, {6, 3, 6, 3}};
    double scale = 1 / Math.sqrt(d);
    AttentionRule rule = AttentionRule.causal(scale);
    Tensor q = normal(1, n, heads, d);
    Tensor key = normal(1, n, keyHeads, d);
    Tensor v = normal(1, n, keyHeads, d);
    Tensor dout = normal(1, n, heads, d);
    Tensor out = zeros(n, heads, d);
    Tensor lse = zeros(n, heads);
    Tensor table = scope.allocate("segments", DType.I32, 2, 4).put(0, 6, 0, 6, 6, 3, 6, 3);
    k.attention().attentionForward(out, lse, q, key, v, table, rule);
    Tensor dq = zeros(n, heads, d);
    Tensor dk = zeros(n, keyHeads, d);
    Tensor dv = zeros(n, keyHeads, d);
    k.attention().attentionBackward(dq, dk, dv, dout, out, lse, q, key, v, table, rule);

    // Heads first, so that one batched product does them all; keys are repeated for the heads that
    // share them.
    SDVariable qs = headsFirst(variable("q", q));
    SDVariable ks = headsFirst(repeated(variable("k", key), n, keyHeads, heads, d));
    SDVariable vs = headsFirst(repeated(variable("v", v), n, keyHeads, heads, d));
    SDVariable scores = graph.mmul(qs, graph.permute(ks, 0, 2, 1)).mul(scale);
    SDVariable p = graph.nn().softmax(scores.add(graph.constant(mask(n, segments))), 2);
    SDVariable result = graph.permute(graph.mmul(p, vs), 1, 0, 2);
    check(result, dout, Map.of("q", dq, "k", dk, "v", dv));
  }

  private SDVariable headsFirst(SDVariable x) {
    return graph.permute(x, 1, 0, 2);
  }

  private SDVariable repeated(SDVariable x, int n, int keyHeads, int heads, int d) {
    SDVariable each = graph.reshape(x, n, keyHeads, 1, d);
    SDVariable ones = graph.constant(Nd4j.ones(DataType.DOUBLE, 1, 1, heads / keyHeads, 1));
    return graph.reshape(each.mul(ones), n, heads, d);
  }

  /** 0 where a query sees a key, else -1e9. */
  private static INDArray mask(int n, int[][] segments) {
    INDArray mask = Nd4j.valueArrayOf(new long[] {1, n, n}, -1e9, DataType.DOUBLE);
    for (int[] s : segments) {
      for (int i = 0; i < s[1]; i++) {
        for (int j = 0; j <= i; j++) {
          mask.putScalar(new int[] {0, s[0] + i, s[2] + j}, 0);
        }
      }
    }
    return mask;
  }
}
