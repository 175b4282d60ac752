package dev.nibble.quant.quip;

import static dev.nibble.quant.ModuleTensors.module;
import static dev.nibble.quant.quip.QuipLayout.CODES;
import static dev.nibble.quant.quip.QuipLayout.LEFT;
import static dev.nibble.quant.quip.QuipLayout.RIGHT;
import static dev.nibble.quant.quip.QuipLayout.SCALES;
import static dev.nibble.quant.quip.QuipLayout.SIGNS_IN;
import static dev.nibble.quant.quip.QuipLayout.SIGNS_OUT;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.safetensors.StoredTensors;
import dev.nibble.compute.safetensors.TensorInfo;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.weights.E8Lattice;
import dev.nibble.quant.ModuleTensors;
import dev.nibble.quant.NonFinite;
import dev.nibble.quant.ShapedWeights;
import dev.nibble.quant.StoredSettings;
import dev.nibble.quant.StoredWeights;
import dev.nibble.quant.UnusableWeight;
import dev.nibble.quant.WeightFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;

/**
 * The weights of a checkpoint in {@link QuipLayout}: the modules that have codes.
 *
 * @param shapes of the weights, by the names that they would have were they dense
 * @param stored the format of all of them
 */
record QuipCheckpoint(
    StoredTensors checkpoint, SequencedMap<String, Shape> shapes, QuipFormat stored)
    implements ShapedWeights {

  /**
   * Finds the weights and checks their tensors.
   *
   * @return empty when there are none
   * @throws UnusableWeight naming file, tensor, what was expected and what was found
   */
  static Optional<StoredWeights> of(StoredTensors checkpoint) {
    List<String> modules =
        checkpoint.names().stream()
            .filter(name -> name.endsWith(SIGNS_IN))
            .map(name -> name.substring(0, name.length() - SIGNS_IN.length()))
            .toList();
    if (modules.isEmpty()) {
      return Optional.empty();
    }
    QuipFormat format = format(StoredSettings.of(checkpoint, modules.getFirst() + SIGNS_IN));
    SequencedMap<String, Shape> shapes = new LinkedHashMap<>();
    for (String module : modules) {
      shapes.put(
          module + ModuleTensors.WEIGHT, read(new ModuleTensors(checkpoint, module), format));
    }
    return Optional.of(new QuipCheckpoint(checkpoint, shapes, format));
  }

  private static QuipFormat format(StoredSettings settings) {
    boolean fitting = settings.flag(QuipLayout.FITTING, false);
    try {
      return new QuipFormat(
          whole(settings, QuipLayout.BITS, 0),
          fitting ? QuipFormat.FITTING : whole(settings, QuipLayout.RANK, 0),
          whole(settings, QuipLayout.PASSES, QuipFormat.DEFAULT_PASSES),
          settings.number(QuipLayout.DAMPING, QuipFormat.DEFAULT_DAMPING));
    } catch (IllegalArgumentException e) {
      throw new UnusableWeight("%s: %s".formatted(settings.file(), e.getMessage()));
    }
  }

  private static int whole(StoredSettings settings, String key, int otherwise) {
    double value = settings.number(key, otherwise);
    if (value < 0 || value != (int) value) {
      throw new UnusableWeight(
          "%s: \"%s\" of \"quantization_config\" is %s, expected a whole number of 0 or more"
              .formatted(settings.file(), key, value));
    }
    return (int) value;
  }

  /** The shape of a weight, whose tensors are those that the format asks for. */
  private static Shape read(ModuleTensors m, QuipFormat format) {
    long rows = m.tensor(SIGNS_OUT, SIGNS_IN).elements();
    long cols = m.tensor(SIGNS_IN, SIGNS_OUT).elements();
    if (rows == 0 || cols == 0 || cols % E8Lattice.EIGHT != 0) {
      throw m.wrong(
          SIGNS_IN, ModuleTensors.described(m.tensor(SIGNS_IN, SIGNS_OUT)), "I8[a multiple of 8]");
    }
    Shape shape = Shape.of(rows, cols);
    String weight = m.module() + ModuleTensors.WEIGHT;
    for (TensorInfo info : new QuipLayout(format).tensors(weight, shape, DType.F32).orElseThrow()) {
      String part = info.name().substring(m.module().length());
      m.tensor(part, SIGNS_IN);
      m.require(part, info.dtype(), info.shape());
    }
    return shape;
  }

  @Override
  public Optional<WeightFormat> format() {
    return Optional.of(stored);
  }

  @Override
  public Set<String> companions() {
    return present(checkpoint, QuipLayout.PARTS);
  }

  @Override
  public Loader loader(Kernels kernels, Scope scope) {
    WeightFormat.Allocator allocator = stored.allocator(kernels, scope);
    QuipLayout layout = new QuipLayout(stored);
    return weight -> {
      Shape shape = required(weight);
      var matrix = allocator.allocate(weight, shape.dim(0), shape.dim(1));
      ModuleTensors m = new ModuleTensors(checkpoint, module(weight));
      if (!kernels.memory().isPlanned()) { // a plan reads no weights
        check(m);
      }
      layout
          .tensors(weight, matrix, DType.F32)
          .forEach((name, to) -> m.copyTo(to, name.substring(m.module().length()), kernels));
      return matrix;
    };
  }

  private static void check(ModuleTensors m) {
    for (String of : List.of("", LEFT, RIGHT)) {
      if (m.has(of + SCALES)) {
        NonFinite.refuse(
            m.tensor(of + SCALES, of + CODES), m.checkpoint().placeOf(m.module() + of + SCALES));
      }
    }
    requireSigns(m, SIGNS_OUT);
    requireSigns(m, SIGNS_IN);
  }

  private static void requireSigns(ModuleTensors m, String part) {
    int[] signs = m.tensor(part, CODES).toInts();
    for (int i = 0; i < signs.length; i++) {
      if (Math.abs(signs[i]) != 1) {
        throw m.wrong(part, "%d at [%d]".formatted(signs[i], i), "1 or -1");
      }
    }
  }
}
