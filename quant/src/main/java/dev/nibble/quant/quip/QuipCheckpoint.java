package dev.nibble.quant.quip;

import static dev.nibble.quant.ModuleTensors.module;
import static dev.nibble.quant.quip.QuipLayout.CODES;
import static dev.nibble.quant.quip.QuipLayout.RESIDUALS;
import static dev.nibble.quant.quip.QuipLayout.SCALES;
import static dev.nibble.quant.quip.QuipLayout.SIGNS_IN;
import static dev.nibble.quant.quip.QuipLayout.SIGNS_OUT;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.safetensors.StoredTensors;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.E8Lattice;
import dev.nibble.compute.weights.Lattice;
import dev.nibble.compute.weights.Rotated;
import dev.nibble.quant.ModuleTensors;
import dev.nibble.quant.NonFinite;
import dev.nibble.quant.StoredSettings;
import dev.nibble.quant.StoredWeights;
import dev.nibble.quant.UnusableWeight;
import dev.nibble.quant.WeightFormat;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The weights of a checkpoint in {@link QuipLayout}: the modules that have codes.
 *
 * @param shapes of the weights, by the names that they would have were they dense
 * @param stored the format of all of them
 */
record QuipCheckpoint(
    StoredTensors checkpoint, SequencedMap<String, Shape> shapes, QuipFormat stored)
    implements StoredWeights {

  /**
   * Finds the weights and checks their tensors.
   *
   * @return empty when there are none
   * @throws UnusableWeight naming file, tensor, what was expected and what was found
   */
  static Optional<StoredWeights> of(StoredTensors checkpoint) {
    SequencedMap<String, Shape> shapes = new LinkedHashMap<>();
    int bits = 0;
    for (String name : checkpoint.names()) {
      if (name.endsWith(CODES)) {
        String module = name.substring(0, name.length() - CODES.length());
        ModuleTensors tensors = new ModuleTensors(checkpoint, module);
        int found = tensors.has(RESIDUALS) ? 4 : 2;
        if (bits != 0 && found != bits) {
          throw new UnusableWeight(
              "%s: '%s' is in %d bits, and others are in %d; expected one for all"
                  .formatted(checkpoint.placeOf(name), module, found, bits));
        }
        bits = found;
        shapes.put(module + ModuleTensors.WEIGHT, read(tensors));
      }
    }
    if (shapes.isEmpty()) {
      return Optional.empty();
    }
    StoredSettings settings =
        StoredSettings.of(checkpoint, module(shapes.firstEntry().getKey()) + CODES);
    double damping = settings.number(QuipLayout.DAMPING, QuipFormat.DEFAULT_DAMPING);
    double passes = settings.number(QuipLayout.PASSES, QuipFormat.DEFAULT_PASSES);
    QuipFormat format =
        new QuipFormat(
            bits,
            passes >= 0 && passes == (int) passes ? (int) passes : QuipFormat.DEFAULT_PASSES,
            damping > 0 && Double.isFinite(damping) ? damping : QuipFormat.DEFAULT_DAMPING);
    return Optional.of(new QuipCheckpoint(checkpoint, shapes, format));
  }

  /** The shape of a weight. */
  private static Shape read(ModuleTensors m) {
    Tensor codes = m.tensor(CODES, CODES);
    if (codes.dtype() != DType.I16 || codes.shape().rank() != 2 || codes.elements() == 0) {
      throw m.wrong(CODES, ModuleTensors.described(codes), "I16[outputs, inputs / 8]");
    }
    Shape shape = Shape.of(codes.dim(0), codes.dim(1) * E8Lattice.EIGHT);
    int stages = 1;
    if (m.has(RESIDUALS)) {
      m.require(RESIDUALS, DType.I16, codes.shape());
      stages = 2;
    }
    m.tensor(SCALES, CODES);
    m.require(SCALES, DType.F32, Shape.of(stages));
    m.tensor(SIGNS_OUT, CODES);
    m.require(SIGNS_OUT, DType.I8, Shape.of(shape.dim(0)));
    m.tensor(SIGNS_IN, CODES);
    m.require(SIGNS_IN, DType.I8, Shape.of(shape.dim(1)));
    return shape;
  }

  @Override
  public Optional<WeightFormat> format() {
    return Optional.of(stored);
  }

  @Override
  public Set<String> names() {
    return Collections.unmodifiableSet(shapes.keySet());
  }

  @Override
  public Optional<Shape> shape(String weight) {
    return Optional.ofNullable(shapes.get(weight));
  }

  @Override
  public Set<String> companions() {
    return shapes.keySet().stream()
        .flatMap(weight -> QuipLayout.PARTS.stream().map(part -> module(weight) + part))
        .filter(checkpoint::has)
        .collect(Collectors.toUnmodifiableSet());
  }

  @Override
  public Loader loader(Kernels kernels, Scope scope) {
    WeightFormat.Allocator allocator = stored.allocator(kernels, scope);
    return weight -> {
      Shape shape = shapes.get(weight);
      if (shape == null) {
        throw new IllegalArgumentException(weight + " is dense");
      }
      Rotated matrix = (Rotated) allocator.allocate(weight, shape.dim(0), shape.dim(1));
      Lattice lattice = (Lattice) matrix.base();
      ModuleTensors m = new ModuleTensors(checkpoint, module(weight));
      if (!kernels.memory().isPlanned()) { // a plan reads no weights
        NonFinite.refuse(
            m.tensor(SCALES, CODES), checkpoint.placeOf(m.module() + SCALES));
        requireSigns(m, SIGNS_OUT);
        requireSigns(m, SIGNS_IN);
      }
      copy(kernels, lattice.codes(), m, CODES);
      lattice.residuals().ifPresent(to -> copy(kernels, to, m, RESIDUALS));
      copy(kernels, lattice.scales(), m, SCALES);
      copy(kernels, matrix.outputs().signs(), m, SIGNS_OUT);
      copy(kernels, matrix.inputs().signs(), m, SIGNS_IN);
      return matrix;
    };
  }

  private static void requireSigns(ModuleTensors m, String part) {
    int[] signs = m.tensor(part, CODES).toInts();
    for (int i = 0; i < signs.length; i++) {
      if (Math.abs(signs[i]) != 1) {
        throw m.wrong(part, "%d at [%d]".formatted(signs[i], i), "1 or -1");
      }
    }
  }

  private static void copy(Kernels kernels, Tensor to, ModuleTensors m, String part) {
    String name = m.module() + part;
    kernels.moving().copy(to, m.checkpoint().tensor(name));
    m.checkpoint().unload(name);
  }
}
