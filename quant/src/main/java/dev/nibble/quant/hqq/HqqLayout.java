package dev.nibble.quant.hqq;

import static dev.nibble.quant.ModuleTensors.module;

import dev.nibble.compute.safetensors.TensorInfo;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Affine;
import dev.nibble.compute.weights.FrozenMatrix;
import dev.nibble.compute.weights.Groups;
import dev.nibble.compute.weights.Groups.Axis;
import dev.nibble.compute.weights.Numbers;
import dev.nibble.quant.CheckpointLayout;
import dev.nibble.quant.PackedTensors;
import dev.nibble.quant.UnusableWeight;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.stream.Stream;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * The layout of the hqq library, as transformers 4.57 saves it. A module has no {@code weight}, but
 * beside what it keeps {@code W_q} ({@link HqqPacking}), {@code scale} and {@code zero} (one for
 * each group), and a tensor for each of its settings: numbers, flags, and texts as bytes.
 */
record HqqLayout(HqqFormat format) implements CheckpointLayout {
  static final String METHOD = "hqq";
  static final String CODES = ".W_q";
  static final String SCALE = ".scale";
  static final String ZERO = ".zero";

  /** The settings, whose tensors are read. */
  static final String BITS = ".nbits";

  static final String GROUP_SIZE = ".group_size";
  static final String AXIS = ".axis";
  static final String SHAPE = ".shape";
  static final String OPTIMIZE = ".optimize";
  static final String PACKING = ".packing";
  static final String QUANTIZED_SCALE = ".quant_scale";
  static final String QUANTIZED_ZERO = ".quant_zero";

  /** The settings of which only the name is known here. */
  static final List<String> OTHERS =
      List.of(
          ".channel_wise",
          ".round_zero",
          ".view_as_float",
          ".offload_meta",
          ".encoded_state_dict",
          ".stores_quant_config",
          ".unpack_view_dtype",
          ".compute_dtype");

  /** The ends of all names of a module's tensors. */
  static Stream<String> parts() {
    return Stream.concat(
        Stream.of(
            CODES,
            SCALE,
            ZERO,
            BITS,
            GROUP_SIZE,
            AXIS,
            SHAPE,
            OPTIMIZE,
            PACKING,
            QUANTIZED_SCALE,
            QUANTIZED_ZERO),
        OTHERS.stream());
  }

  @Override
  public Optional<List<TensorInfo>> tensors(String weight, Shape shape, DType before) {
    return Optional.of(
        settings(weight, shape).all().entrySet().stream()
            .map(e -> TensorInfo.of(e.getKey(), e.getValue()))
            .toList());
  }

  @Override
  public SequencedMap<String, Tensor> tensors(String weight, FrozenMatrix matrix, DType before) {
    Affine affine = (Affine) matrix;
    PackedTensors all = settings(weight, Shape.of(affine.rows(), affine.cols()));
    String module = module(weight);
    packing(affine.elements()).pack(affine, all.get(module + CODES));
    copy(affine.scales(), all.get(module + SCALE));
    copy(affine.zeros(), all.get(module + ZERO));
    return all.all();
  }

  private static void copy(Numbers from, Tensor to) {
    for (long g = 0; g < to.elements(); g++) {
      to.setFloat(g, from.get(g));
    }
  }

  private HqqPacking packing(long elements) {
    return HqqPacking.of(format.bits(), new Groups(format.axis(), format.groupSize()), elements);
  }

  /** All tensors of a weight, with codes and numbers of 0. */
  private PackedTensors settings(String weight, Shape shape) {
    HqqPacking packing = packing(shape.elements());
    if (!packing.fits()) {
      throw new UnusableWeight(
          "tensor '%s' has %d rows of groups, which the file format packs %d at a time; take another group size"
              .formatted(weight, packing.rows(), packing.codes()));
    }
    boolean inputs = format.axis() == Axis.INPUTS;
    long count = shape.elements() / format.groupSize();
    Shape numbers = inputs ? Shape.of(count, 1) : Shape.of(1, count);
    PackedTensors all = new PackedTensors();
    String module = module(weight);
    all.add(new TensorInfo(module + CODES, packing.dtype(), packing.shape()));
    all.add(new TensorInfo(module + SCALE, stored(), numbers));
    all.add(new TensorInfo(module + ZERO, stored(), numbers));
    number(all, module + BITS, format.bits());
    number(all, module + GROUP_SIZE, format.groupSize());
    number(all, module + AXIS, inputs ? 1 : 0);
    all.add(new TensorInfo(module + SHAPE, DType.I64, Shape.of(2)))
        .put((int) shape.dim(0), (int) shape.dim(1));
    text(all, module + PACKING, packing.name());
    text(all, module + ".unpack_view_dtype", packing.bits() == 3 ? "torch.int32" : "torch.uint8");
    text(
        all,
        module + ".compute_dtype",
        switch (stored()) {
          case F16 -> "torch.float16";
          case BF16 -> "torch.bfloat16";
          default -> "torch.float32";
        });
    flag(all, module + ".channel_wise", true);
    flag(all, module + OPTIMIZE, format.optimize());
    flag(all, module + ".round_zero", format.bits() == 4);
    flag(all, module + QUANTIZED_SCALE, false);
    flag(all, module + QUANTIZED_ZERO, false);
    flag(all, module + ".view_as_float", false);
    flag(all, module + ".offload_meta", false);
    flag(all, module + ".encoded_state_dict", true);
    flag(all, module + ".stores_quant_config", true);
    return all;
  }

  /**
   * Numbers in 8 bits are stored as what they are worth: the layout has no other place for them.
   */
  private DType stored() {
    return switch (format.metadata()) {
      case F16 -> DType.F16;
      case BF16 -> DType.BF16;
      case F32, QUANTIZED -> DType.F32;
    };
  }

  private static void number(PackedTensors all, String name, int value) {
    all.add(new TensorInfo(name, DType.I32, Shape.of())).put(value);
  }

  private static void flag(PackedTensors all, String name, boolean value) {
    all.add(new TensorInfo(name, DType.U8, Shape.of())).put(value ? 1 : 0);
  }

  private static void text(PackedTensors all, String name, String value) {
    byte[] bytes = value.getBytes(StandardCharsets.US_ASCII);
    Tensor t = all.add(new TensorInfo(name, DType.U8, Shape.of(bytes.length)));
    for (int i = 0; i < bytes.length; i++) {
      t.setLong(i, bytes[i]);
    }
  }

  /** The layout says itself what to compute in. */
  @Override
  public ObjectNode config(DType compute, List<String> skipped) {
    ObjectNode q = JsonNodeFactory.instance.objectNode();
    q.put("quant_method", METHOD);
    putFormat(q.putObject("quant_config"), format);
    return withSkipped(q, skipped);
  }

  /** A configuration for each kind of linear map, such as {@code self_attn.q_proj}. */
  static ObjectNode config(Map<String, HqqFormat> kinds, List<String> skipped) {
    ObjectNode q = JsonNodeFactory.instance.objectNode();
    q.put("quant_method", METHOD);
    ObjectNode each = q.putObject("quant_config");
    kinds.forEach((kind, format) -> putFormat(each.putObject(kind), format));
    return withSkipped(q, skipped);
  }

  private static ObjectNode withSkipped(ObjectNode q, List<String> skipped) {
    var skip = q.putArray("skip_modules").add("lm_head");
    skipped.forEach(skip::add);
    return q;
  }

  private static void putFormat(ObjectNode config, HqqFormat format) {
    ObjectNode weights = config.putObject("weight_quant_params");
    weights.put("nbits", format.bits());
    weights.put("channel_wise", true);
    weights.put("group_size", format.groupSize());
    weights.put("optimize", format.optimize());
    weights.put("round_zero", format.bits() == 4);
    weights.put("axis", format.axis() == Axis.INPUTS ? 1 : 0);
    weights.put("view_as_float", false);
    config.putNull("scale_quant_params");
    config.putNull("zero_quant_params");
    config.put("offload_meta", false);
  }

  @Override
  public String summary() {
    return summary(List.of(format));
  }

  /** What is told of formats of which each has its modules. */
  static String summary(Iterable<HqqFormat> formats) {
    List<String> all = new ArrayList<>();
    for (HqqFormat f : formats) {
      String one =
          "%d bits in groups of %d along %s"
              .formatted(f.bits(), f.groupSize(), f.axis() == Axis.INPUTS ? "inputs" : "outputs");
      if (!all.contains(one)) {
        all.add(one);
      }
    }
    all.sort(String::compareTo);
    return "HQQ, " + String.join(" and ", all);
  }
}
