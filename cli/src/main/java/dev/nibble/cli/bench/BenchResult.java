package dev.nibble.cli.bench;

import dev.nibble.compute.kernels.KernelTimes;
import dev.nibble.compute.kernels.KernelTimes.KernelTime;
import dev.nibble.compute.kernels.Roofline;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.List;
import java.util.Optional;
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
 * @param description of that set: processor or card, libraries
 * @param activations their dtype
 * @param size of a step
 * @param keptLayers layers that keep their activations
 * @param stepSeconds of the median step
 * @param quantizeSeconds to quantise all frozen linear maps
 * @param processPeak the most bytes that the process occupied, of the first size alone, since a
 *     process keeps its peak; empty where the system does not say
 * @param tensors bytes of tensors in the kernels' memory, without the set's scratch
 * @param device what the device lost; empty on the host
 * @param heapBytes that a step takes from Java's heap, the one that takes least: while vector code
 *     is not compiled yet, a step takes much more
 * @param losses of each step, the warm-up first
 * @param peak what the machine can do at most, measured
 * @param rate operations a second of the step's matrix products
 * @param times of kernels in one step; empty where they were not asked for
 */
public record BenchResult(
    String shape,
    String format,
    String kernels,
    String description,
    String activations,
    BenchSize size,
    int keptLayers,
    double stepSeconds,
    double quantizeSeconds,
    OptionalLong processPeak,
    long tensors,
    Optional<DeviceUse> device,
    long heapBytes,
    List<Double> losses,
    Roofline peak,
    double rate,
    Optional<KernelTimes> times) {
  private static final double GIB = 1L << 30;

  /** Tokens of a second. */
  public double tokensPerSecond() {
    return size.tokens() / stepSeconds;
  }

  /** Part of the machine's rate that the step's matrix products reach. */
  public double share() {
    return rate / peak.operations();
  }

  /** One line of JSON. */
  public String json() {
    ObjectNode json = JsonMapper.shared().createObjectNode();
    json.put("shape", shape);
    json.put("format", format);
    json.put("kernels", kernels);
    json.put("description", description);
    json.put("activations", activations);
    json.put("seq", size.seq());
    json.put("micro_batch", size.microBatch());
    json.put("kept_layers", keptLayers);
    json.put("step_s", digits(stepSeconds));
    json.put("tok_s", digits(tokensPerSecond()));
    json.put("quantise_s", digits(quantizeSeconds));
    processPeak.ifPresent(bytes -> json.put("rss_gib", digits(bytes / GIB)));
    json.put("tensors_gib", digits(tensors / GIB));
    device.ifPresent(use -> {
      json.put("device_taken_gib", digits(use.taken() / GIB));
      json.put("device_in_use_gib", digits(use.inUse() / GIB));
    });
    json.put("heap_bytes_per_step", heapBytes);
    ArrayNode curve = json.putArray("losses");
    losses.forEach(loss -> curve.add(new BigDecimal(loss, new MathContext(6))));
    json.put("gemm_tflops", digits(peak.operations() / 1e12));
    json.put("memory_gb_s", digits(peak.bytes() / 1e9));
    json.put("share", digits(share()));
    times.ifPresent(t -> put(json.putObject("profile"), t));
    return JsonMapper.shared().writeValueAsString(json);
  }

  private void put(ObjectNode json, KernelTimes t) {
    json.put("seconds", digits(t.seconds()));
    json.put("gaps", digits(t.gaps()));
    ArrayNode kernelTimes = json.putArray("kernels");
    for (KernelTime k : t.kernels()) {
      ObjectNode one = kernelTimes.addObject();
      one.put("name", k.name());
      one.put("calls", k.calls());
      one.put("seconds", digits(k.seconds()));
      one.put("gb_s", digits(k.bytes() / k.seconds() / 1e9));
      one.put("tflops", digits(k.operations() / k.seconds() / 1e12));
      one.put("share", digits(k.share(peak)));
    }
  }

  private static BigDecimal digits(double value) {
    return new BigDecimal(value, new MathContext(4));
  }
}
