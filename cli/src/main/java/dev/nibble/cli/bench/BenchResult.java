package dev.nibble.cli.bench;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.List;
import java.util.OptionalLong;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * The result of a benchmark.
 *
 * @param shape of the model
 * @param format of its frozen weights, by name
 * @param kernels the set that computed
 * @param activations their dtype
 * @param seq tokens of a sample
 * @param microBatch samples of a step
 * @param keptLayers layers that keep their activations
 * @param stepSeconds of the median step
 * @param tokensPerSecond of that step
 * @param quantizeSeconds to quantise all frozen linear maps
 * @param processPeak the most bytes that the process occupied; empty where the system does not say
 * @param tensors bytes of tensors in the kernels' memory
 * @param heapBytes that a step takes from Java's heap, the one that takes least: while vector code
 *     is not compiled yet, a step takes much more
 * @param losses of each step, the warm-up first
 * @param matrixRate floating-point operations a second of large matrix products, measured
 * @param share part of that rate that the step's matrix products reach
 */
public record BenchResult(
    String shape,
    String format,
    String kernels,
    String activations,
    int seq,
    int microBatch,
    int keptLayers,
    double stepSeconds,
    double tokensPerSecond,
    double quantizeSeconds,
    OptionalLong processPeak,
    long tensors,
    long heapBytes,
    List<Double> losses,
    double matrixRate,
    double share) {
  private static final double GIB = 1L << 30;

  /** One line of JSON. */
  public String json() {
    ObjectNode json = JsonMapper.shared().createObjectNode();
    json.put("shape", shape);
    json.put("format", format);
    json.put("kernels", kernels);
    json.put("activations", activations);
    json.put("seq", seq);
    json.put("micro_batch", microBatch);
    json.put("kept_layers", keptLayers);
    json.put("step_s", digits(stepSeconds));
    json.put("tok_s", digits(tokensPerSecond));
    json.put("quantise_s", digits(quantizeSeconds));
    processPeak.ifPresent(bytes -> json.put("rss_gib", digits(bytes / GIB)));
    json.put("tensors_gib", digits(tensors / GIB));
    json.put("heap_bytes_per_step", heapBytes);
    ArrayNode curve = json.putArray("losses");
    losses.forEach(loss -> curve.add(new BigDecimal(loss, new MathContext(6))));
    json.put("gemm_tflops", digits(matrixRate / 1e12));
    json.put("share", digits(share));
    return JsonMapper.shared().writeValueAsString(json);
  }

  private static BigDecimal digits(double value) {
    return new BigDecimal(value, new MathContext(4));
  }
}
