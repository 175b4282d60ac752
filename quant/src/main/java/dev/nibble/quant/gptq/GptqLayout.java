package dev.nibble.quant.gptq;

import static dev.nibble.quant.GroupedIntegers.CODES;
import static dev.nibble.quant.GroupedIntegers.INDEX;
import static dev.nibble.quant.GroupedIntegers.SCALES;
import static dev.nibble.quant.GroupedIntegers.ZEROS;
import static dev.nibble.quant.ModuleTensors.module;

import dev.nibble.compute.safetensors.TensorInfo;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Affine;
import dev.nibble.compute.weights.FrozenMatrix;
import dev.nibble.quant.CheckpointLayout;
import dev.nibble.quant.GroupedIntegers;
import dev.nibble.quant.PackedTensors;
import dev.nibble.quant.UnusableWeight;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.stream.IntStream;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * The layout of AutoGPTQ and GPTQModel. A module has no {@code weight}, but beside a bias, which
 * stays as it is:
 *
 * <ul>
 *   <li>{@code qweight} I32 [I * bits / 32, O]: for each output the stream of its codes
 *   <li>{@code qzeros} I32 [groups, O * bits / 32]: for each group the stream of its outputs' zero
 *       points, less one modulo 2^bits in the first version
 *   <li>{@code scales} F16 [groups, O]
 *   <li>{@code g_idx} I32 [I]: the group of each input
 * </ul>
 *
 * <p>Streams begin with the lowest bits of a word. A weight is {@code (code - zero) * scale}.
 */
record GptqLayout(GptqFormat format) implements CheckpointLayout {
  static final String METHOD = "gptq";

  /** The key of config.json that tells the version. */
  static final String VERSION = "checkpoint_format";

  @Override
  public Optional<List<TensorInfo>> tensors(String weight, Shape shape, DType before) {
    return Optional.of(tensors(weight, shape.dim(0), shape.dim(1), format.size(shape.dim(1))));
  }

  /** Scales are written in float16, whatever a checkpoint had them in. */
  @Override
  public SequencedMap<String, Tensor> tensors(String weight, FrozenMatrix matrix, DType before) {
    Affine affine = (Affine) matrix;
    int rows = Math.toIntExact(affine.rows());
    int size = affine.groups().size();
    PackedTensors all = PackedTensors.zeros(tensors(weight, rows, affine.cols(), size));
    String module = module(weight);
    int[] words = GptqPacking.words(affine.codes());
    all.get(module + CODES).put(GptqPacking.transposed(words, rows, words.length / rows));
    GptqPacking.putZeros(
        affine.zeros().plain(),
        format.bits(),
        rows,
        format.version().less(),
        all.get(module + ZEROS));
    GroupedIntegers.transpose(
        all.get(module + SCALES), affine.scales().plain(), rows, affine.cols() / size);
    int[] index =
        affine
            .index()
            .map(Tensor::toInts)
            .orElseGet(() -> IntStream.range(0, (int) affine.cols()).map(i -> i / size).toArray());
    all.get(module + INDEX).put(index);
    return all.all();
  }

  private List<TensorInfo> tensors(String weight, long rows, long cols, int size) {
    int bits = format.bits();
    if (rows * bits % Integer.SIZE != 0 || cols * bits % Integer.SIZE != 0) {
      throw new UnusableWeight(
          "tensor '%s' is [%d, %d], and the file format packs %d bits of outputs and of inputs into words of 32; expected multiples of 32, or leave this layer as it is"
              .formatted(weight, rows, cols, bits));
    }
    String module = module(weight);
    return List.of(
        new TensorInfo(module + CODES, DType.I32, Shape.of(cols * bits / Integer.SIZE, rows)),
        new TensorInfo(
            module + ZEROS, DType.I32, Shape.of(cols / size, rows * bits / Integer.SIZE)),
        new TensorInfo(module + SCALES, DType.F16, Shape.of(cols / size, rows)),
        new TensorInfo(module + INDEX, DType.I32, Shape.of(cols)));
  }

  /**
   * Readers compute in the model's own dtype. Modules to skip are patterns that GPTQModel and vLLM
   * know; the output head is skipped anyway.
   */
  @Override
  public ObjectNode config(DType compute, List<String> skipped) {
    ObjectNode q = JsonNodeFactory.instance.objectNode();
    q.put("quant_method", METHOD);
    q.put("bits", format.bits());
    q.put("group_size", format.groupSize());
    q.put("desc_act", format.actOrder());
    q.put("static_groups", format.actOrder());
    q.put("sym", format.symmetric());
    q.put("damp_percent", format.damping());
    q.put("lm_head", false);
    q.put(VERSION, format.version().key());
    if (!skipped.isEmpty()) {
      ObjectNode dynamic = q.putObject("dynamic");
      skipped.forEach(name -> dynamic.putObject("-:(.*\\.)?" + name.replace(".", "\\.") + "$"));
    }
    return q;
  }

  /** What both the tensors and a config.json tell. */
  @Override
  public String summary() {
    return summary(format.bits());
  }

  static String summary(int bits) {
    return "GPTQ, %d bits".formatted(bits);
  }
}
